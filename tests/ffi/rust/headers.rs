//! Declarations against the headers, and against what tests/abi keeps of them: a changed header fails here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use sparse_nn::sys;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All headers without comments and preprocessor lines, words apart by one blank.
fn headers() -> String {
    let mut text = String::new();
    for entry in fs::read_dir(root().join("include/tsnn")).unwrap() {
        text += &fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    while let Some(start) = text.find("/*") {
        let end = start + text[start..].find("*/").expect("a comment ends");
        text.replace_range(start..end + 2, " ");
    }
    let text = text.replace("\\\n", " ");
    let code = text.lines().filter(|line| !line.starts_with('#') || line.starts_with("#define TSNN_VERSION_"));
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// What lies between each `start` and the `end` after it.
fn between<'t>(text: &'t str, start: &'t str, end: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(start).skip(1).filter_map(move |rest| rest.split_once(end).map(|(inside, _)| inside))
}

/// "const float *values" as ("values", "*const f32"); blanks are left out of types.
fn declaration(text: &str) -> (String, String) {
    let text = text.trim();
    let (text, array) = match text.split_once('[') {
        Some((text, length)) => (text, Some(length.trim_end_matches(']'))),
        None => (text, None),
    };
    let start = text.rfind(|letter: char| !letter.is_alphanumeric() && letter != '_').expect("a type and a name") + 1;
    let kind = rust_type(&text[..start]);
    let kind = match array {
        Some(length) => format!("[{kind};{}]", constants().get(length).map_or_else(|| length.into(), i32::to_string)),
        None => kind,
    };
    (text[start..].to_string(), kind)
}

fn rust_type(text: &str) -> String {
    let text = text.replace('*', " * ");
    let (mut kind, mut constant) = (String::new(), false);
    for word in text.split_whitespace() {
        match word {
            "const" => constant = true,
            "*" => {
                kind = format!("*{}{kind}", if constant { "const" } else { "mut" });
                constant = false;
            }
            "int32_t" => kind = "i32".into(),
            "uint32_t" => kind = "u32".into(),
            "int64_t" => kind = "i64".into(),
            "uint64_t" => kind = "u64".into(),
            "size_t" => kind = "usize".into(),
            "double" => kind = "f64".into(),
            "float" => kind = "f32".into(),
            "char" => kind = "c_char".into(),
            "void" => kind = "c_void".into(),
            other => kind = other.into(),
        }
    }
    kind
}

fn arguments(text: &str) -> Vec<(String, String)> {
    text.split(',').filter(|one| !["", "void"].contains(&one.trim())).map(declaration).collect()
}

fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Every enumerator, and the version.
fn constants() -> BTreeMap<String, i32> {
    let headers = headers();
    let words: Vec<&str> =
        headers.split(|letter: char| " ,{}".contains(letter)).filter(|word| !word.is_empty()).collect();
    let mut found = BTreeMap::new();
    for three in words.windows(3).filter(|three| three[0].starts_with("TSNN_") && three[1] == "=") {
        found.insert(three[0].to_string(), three[2].parse().unwrap());
    }
    for three in words.windows(3).filter(|three| three[0] == "#define" && three[1] != "TSNN_VERSION_H") {
        found.insert(three[1].to_string(), three[2].parse().unwrap());
    }
    found
}

#[test]
fn every_constant_is_that_of_the_headers() {
    let ours = sys::constants().into_iter().map(|(name, value)| (name.to_string(), value));
    assert_eq!(ours.collect::<BTreeMap<_, _>>(), constants());
}

#[test]
fn every_field_of_every_struct_lies_where_the_c_compiler_puts_it() {
    let mut ours = BTreeSet::new();
    for one in sys::structs() {
        ours.insert(format!("{} {}", one.name, one.size));
        for field in &one.fields {
            ours.insert(format!("{}.{} {} {}", one.name, field.name, field.offset, field.size));
        }
    }
    let layout = read("tests/abi/libtsnn.layout");
    let kept: BTreeSet<String> = layout.lines().map(str::to_string).collect();
    let (missing, wrong): (Vec<_>, Vec<_>) = (kept.difference(&ours).collect(), ours.difference(&kept).collect());
    assert!(missing.is_empty() && wrong.is_empty(), "in C {missing:?}, in Rust {wrong:?}");
}

#[test]
fn every_field_has_the_type_of_the_headers() {
    let headers = headers();
    let mut theirs = BTreeMap::new();
    for text in between(&headers, "typedef struct ", "} tsnn_") {
        if let Some((name, fields)) = text.split_once('{').filter(|(name, _)| !name.contains(';')) {
            let fields = fields.split(';').filter(|field| !field.trim().is_empty()).map(declaration);
            theirs.insert(name.trim().to_string(), fields.collect::<Vec<_>>());
        }
    }
    for one in sys::structs() {
        let fields = one.fields.iter().map(|field| (field.name.to_string(), without_blanks(field.kind)));
        assert_eq!(theirs.get(one.name), Some(&fields.collect()), "{}", one.name);
    }
    assert_eq!(theirs.len(), sys::structs().len());
}

#[test]
fn every_public_function_is_declared() {
    let ours: BTreeSet<String> = sys::functions().iter().map(|function| function.name.to_string()).collect();
    let theirs: BTreeSet<String> = read("tests/abi/libtsnn.symbols").lines().map(str::to_string).collect();
    let (missing, gone): (Vec<_>, Vec<_>) = (theirs.difference(&ours).collect(), ours.difference(&theirs).collect());
    assert!(missing.is_empty(), "not declared in src/sys: {missing:?}");
    assert!(gone.is_empty(), "declared in src/sys, but not in the library: {gone:?}");
    assert!(sys::functions().iter().all(|function| !function.address.is_null()));
}

#[test]
fn every_prototype_is_that_of_the_headers() {
    let headers = headers();
    let mut theirs = BTreeMap::new();
    for text in between(&headers, "TSNN_API ", ");") {
        let (start, given) = text.split_once('(').unwrap();
        let name = start.find("tsnn_").filter(|_| !start.starts_with("tsnn_status ")).unwrap_or("tsnn_status ".len());
        let result = rust_type(&start[..name]).replace("c_void", "");
        theirs.insert(start[name..].trim().to_string(), (arguments(given), result));
    }
    for function in sys::functions() {
        let given = function.arguments.iter().map(|(name, kind)| {
            // `in` is a word of Rust.
            (if *name == "input" { "in" } else { name }.to_string(), without_blanks(kind))
        });
        let ours = (given.collect::<Vec<_>>(), without_blanks(function.result));
        assert_eq!(theirs.get(function.name), Some(&ours), "{}", function.name);
    }
    assert_eq!(theirs.len(), sys::functions().len());
}

#[test]
fn every_callback_has_the_arguments_of_the_headers() {
    let mut ours = String::new();
    for entry in fs::read_dir(root().join("examples/ffi/rust/src/sys")).unwrap() {
        ours += &without_blanks(&fs::read_to_string(entry.unwrap().path()).unwrap()).replace(",)", ")");
    }
    let mut seen = 0;
    for text in between(&headers(), "typedef ", ");").filter(|text| text.contains("(*")) {
        let (result, rest) = text.rsplit_once(';').map_or(text, |(_, last)| last).split_once("(*").unwrap();
        let (name, given) = rest.split_once(")(").unwrap();
        let given: Vec<String> = arguments(given).into_iter().map(|(name, kind)| format!("{name}:{kind}")).collect();
        let result = rust_type(result.trim_start_matches("typedef "));
        let result = if result == "c_void" { String::new() } else { format!("->{result}") };
        let wanted = format!("pubtype{name}=Option<unsafeextern\"C\"fn({}){result}>;", given.join(","));
        assert!(ours.contains(&wanted), "no {wanted}");
        seen += 1;
    }
    assert!(seen >= 7, "{seen} callbacks were found in the headers");
}
