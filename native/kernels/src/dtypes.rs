//! From a dtype to the Rust type of its elements.

/// `$make` with `$t` standing for the type of the elements of a dtype that kernels compute with; else E_DTYPE.
macro_rules! by_dtype {
    ($op:expr, $dtype:expr, $t:ident => $make:expr) => {{
        use millrace_program::DType;
        macro_rules! with {
            ($element:ty) => {{
                type $t = $element;
                Ok($make)
            }};
        }
        match $dtype {
            DType::Float32 => with!(f32),
            DType::Float64 => with!(f64),
            DType::Int8 => with!(i8),
            DType::Int32 => with!(i32),
            DType::Int64 => with!(i64),
            DType::Uint8 => with!(u8),
            dtype @ (DType::Bool | DType::Bfloat16) => {
                Err($crate::Error::dtype(format!("{}: no kernel for {}", $op, dtype.name())))
            }
        }
    }};
}
pub(crate) use by_dtype;
