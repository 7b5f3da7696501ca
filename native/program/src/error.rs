//! Errors: a stable code and a message, as TypeScript's `MillraceError` has them.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Aborted,
    Argument,
    Disposed,
    Dtype,
    File,
    Format,
    Guard,
    Internal,
    Memory,
    Shape,
    Unimplemented,
    Version,
}

impl Code {
    pub fn name(self) -> &'static str {
        match self {
            Code::Aborted => "E_ABORTED",
            Code::Argument => "E_ARGUMENT",
            Code::Disposed => "E_DISPOSED",
            Code::Dtype => "E_DTYPE",
            Code::File => "E_FILE",
            Code::Format => "E_FORMAT",
            Code::Guard => "E_GUARD",
            Code::Internal => "E_INTERNAL",
            Code::Memory => "E_MEMORY",
            Code::Shape => "E_SHAPE",
            Code::Unimplemented => "E_UNIMPLEMENTED",
            Code::Version => "E_VERSION",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub code: Code,
    pub message: String,
    /// What the user of a device calls the call that failed, where it failed later; else 0.
    pub call: u32,
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), call: 0 }
    }

    pub fn format(message: impl Into<String>) -> Error {
        Error::new(Code::Format, message)
    }

    pub fn shape(message: impl Into<String>) -> Error {
        Error::new(Code::Shape, message)
    }

    pub fn dtype(message: impl Into<String>) -> Error {
        Error::new(Code::Dtype, message)
    }

    pub fn argument(message: impl Into<String>) -> Error {
        Error::new(Code::Argument, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for Error {}
