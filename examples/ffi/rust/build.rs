//! Finds libtsnn: in the folder that SPARSE_NN_LIB_DIR names, or else by pkg-config (PKG_CONFIG names another one).

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    for name in ["SPARSE_NN_LIB_DIR", "PKG_CONFIG", "PKG_CONFIG_PATH"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    match folder_of_environment().map_or_else(folder_of_pkg_config, Ok) {
        Ok(Some(folder)) => {
            println!("cargo:rustc-link-search=native={}", folder.display());
            // So that programs of this crate run without LD_LIBRARY_PATH.
            println!("cargo:rustc-link-arg=-Wl,-rpath,{}", folder.display());
        }
        Ok(None) => {} // where the linker looks by itself
        Err(reason) => {
            eprintln!("libtsnn not found: set SPARSE_NN_LIB_DIR to the folder of libtsnn.so, or install it ({reason})");
            std::process::exit(1);
        }
    }
    println!("cargo:rustc-link-lib=dylib=tsnn");
}

fn folder_of_environment() -> Option<Option<PathBuf>> {
    let folder = env::var_os("SPARSE_NN_LIB_DIR").filter(|name| !name.is_empty())?;
    Some(Some(Path::new(&folder).canonicalize().unwrap_or_else(|_| folder.into())))
}

fn folder_of_pkg_config() -> Result<Option<PathBuf>, String> {
    let tool = env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    let answer = Command::new(&tool)
        .args(["--libs-only-L", "sparse-nn"])
        .output()
        .map_err(|error| format!("{}: {error}", Path::new(&tool).display()))?;
    if !answer.status.success() {
        return Err(String::from_utf8_lossy(&answer.stderr).trim().replace('\n', " "));
    }
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    Ok(text.split_whitespace().find_map(|flag| flag.strip_prefix("-L")).map(PathBuf::from))
}
