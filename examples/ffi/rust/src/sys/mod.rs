//! The C interface, declared by hand: a file for each header, with the names of the headers, which document them.
//!
//! [`constants`], [`structs`] and [`functions`] tell what is declared here, so that a test can compare it with the
//! headers.

#![allow(non_camel_case_types, missing_docs)]

/// A struct as Rust lays it out.
pub struct Struct {
    pub name: &'static str,
    pub size: usize,
    pub fields: Vec<Field>,
}

/// A field of a struct; `kind` is the text of its type.
pub struct Field {
    pub name: &'static str,
    pub kind: &'static str,
    pub offset: usize,
    pub size: usize,
}

/// A function; `address` is there so that a name that the library lacks does not link.
pub struct Function {
    pub name: &'static str,
    pub arguments: Vec<(&'static str, &'static str)>,
    pub result: &'static str,
    pub address: *const (),
}

/// Declares what a header has, in this order: opaque types, constants, structs, functions. A struct's `default()` is
/// what the header's `_INIT` macro gives: zeros, and its size where it begins with `struct_size`.
macro_rules! declare {
    (
        $(opaque $opaque:ident;)*
        $(const $constant:ident: i32 = $value:expr;)*
        $(struct $struct:ident { $($field:ident: $kind:ty,)* })*
        $(fn $function:ident($($argument:ident: $given:ty),* $(,)?) $(-> $result:ty)?;)*
    ) => {
        $(
            #[repr(C)]
            pub struct $opaque {
                _private: [u8; 0],
            }
        )*
        $(pub const $constant: i32 = $value;)*
        $(
            #[repr(C)]
            #[derive(Clone, Copy)]
            pub struct $struct {
                $(pub $field: $kind,)*
            }
            impl Default for $struct {
                #[allow(unused_mut)]
                fn default() -> Self {
                    // SAFETY: numbers, pointers and optional functions: all may be zero.
                    let mut new: Self = unsafe { std::mem::zeroed() };
                    declare!(@size new, $($field)*);
                    new
                }
            }
        )*
        #[allow(unused)]
        extern "C" {
            $(pub fn $function($($argument: $given),*) $(-> $result)?;)*
        }

        pub(super) fn list_constants(list: &mut Vec<(&'static str, i32)>) {
            list.extend_from_slice(&[$((stringify!($constant), $value)),*]);
        }

        #[allow(unused, clippy::ptr_arg)]
        pub(super) fn list_structs(list: &mut Vec<$crate::sys::Struct>) {
            $({
                let value = $struct::default();
                let base = std::ptr::addr_of!(value) as usize;
                list.push($crate::sys::Struct {
                    name: stringify!($struct),
                    size: std::mem::size_of::<$struct>(),
                    fields: vec![$($crate::sys::Field {
                        name: stringify!($field),
                        kind: stringify!($kind),
                        offset: std::ptr::addr_of!(value.$field) as usize - base,
                        size: std::mem::size_of::<$kind>(),
                    }),*],
                });
            })*
        }

        #[allow(unused, clippy::ptr_arg)]
        pub(super) fn list_functions(list: &mut Vec<$crate::sys::Function>) {
            $(list.push($crate::sys::Function {
                name: stringify!($function),
                arguments: vec![$((stringify!($argument), stringify!($given))),*],
                result: concat!("", $(stringify!($result))?),
                address: $function as *const (),
            });)*
        }
    };
    (@size $new:ident, struct_size $($rest:ident)*) => {
        $new.struct_size = std::mem::size_of_val(&$new) as u32;
    };
    (@size $new:ident, $($rest:ident)*) => {};
}

macro_rules! headers {
    ($($header:ident)*) => {
        $(mod $header;)*
        $(pub use $header::*;)*

        /// All constants of the headers.
        pub fn constants() -> Vec<(&'static str, i32)> {
            let mut list = Vec::new();
            $($header::list_constants(&mut list);)*
            list
        }

        /// All public structs that are not opaque.
        pub fn structs() -> Vec<Struct> {
            let mut list = Vec::new();
            $($header::list_structs(&mut list);)*
            list
        }

        /// All public functions.
        pub fn functions() -> Vec<Function> {
            let mut list = Vec::new();
            $($header::list_functions(&mut list);)*
            list
        }
    };
}

headers! {
    activation checkpoint context dataset evolution exchange export_c gradient layer loss model_file network optimizer
    parallel predictor pruning publisher schedule status trainer version
}
