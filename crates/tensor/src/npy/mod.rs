//! NumPy `.npy` files in and out.

mod rows;

pub use rows::Rows;

use diagnostic::{Code, Diagnostic, Result};
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyError, ReadNpyExt, WritableElement, WriteNpyExt};
use std::{fs, io::Cursor, path::Path};

/// An array of any of the element types that we read.
#[derive(Debug, Clone, PartialEq)]
pub enum NpyArray {
    /// `uint8`
    U8(ArrayD<u8>),
    /// `int8`
    I8(ArrayD<i8>),
    /// `int16`
    I16(ArrayD<i16>),
    /// `int32`
    I32(ArrayD<i32>),
    /// `int64`
    I64(ArrayD<i64>),
    /// `uint64`
    U64(ArrayD<u64>),
    /// `float32`
    F32(ArrayD<f32>),
    /// `float64`
    F64(ArrayD<f64>),
}

impl NpyArray {
    /// The shape.
    pub fn shape(&self) -> &[usize] {
        match self {
            NpyArray::U8(a) => a.shape(),
            NpyArray::I8(a) => a.shape(),
            NpyArray::I16(a) => a.shape(),
            NpyArray::I32(a) => a.shape(),
            NpyArray::I64(a) => a.shape(),
            NpyArray::U64(a) => a.shape(),
            NpyArray::F32(a) => a.shape(),
            NpyArray::F64(a) => a.shape(),
        }
    }

    /// NumPy's name of the element type.
    pub fn type_name(&self) -> &'static str {
        match self {
            NpyArray::U8(_) => "uint8",
            NpyArray::I8(_) => "int8",
            NpyArray::I16(_) => "int16",
            NpyArray::I32(_) => "int32",
            NpyArray::I64(_) => "int64",
            NpyArray::U64(_) => "uint64",
            NpyArray::F32(_) => "float32",
            NpyArray::F64(_) => "float64",
        }
    }

    /// The array as 64-bit integers; `None` for floats and unsigned
    /// 64-bit integers.
    pub fn to_i64(&self) -> Option<ArrayD<i64>> {
        match self {
            NpyArray::U8(a) => Some(a.mapv(i64::from)),
            NpyArray::I8(a) => Some(a.mapv(i64::from)),
            NpyArray::I16(a) => Some(a.mapv(i64::from)),
            NpyArray::I32(a) => Some(a.mapv(i64::from)),
            NpyArray::I64(a) => Some(a.clone()),
            NpyArray::U64(_) | NpyArray::F32(_) | NpyArray::F64(_) => None,
        }
    }
}

/// Reads a `.npy` file of any supported element type, in C or Fortran order.
///
/// # Errors
/// `file-access` when it cannot be read, `file-format` when it is not a `.npy` file, is cut short,
/// or holds elements of another type.
pub fn read(path: &Path) -> Result<NpyArray> {
    let bytes = fs::read(path).map_err(|e| access(path, &e))?;
    parse(&bytes).map_err(|e| e.from(path.display().to_string()))
}

/// [`read`] from memory.
///
/// # Errors
/// `file-format`, as for [`read`].
pub fn parse(bytes: &[u8]) -> Result<NpyArray> {
    type Reader = fn(&[u8]) -> std::result::Result<NpyArray, ReadNpyError>;
    const READERS: [Reader; 8] = [
        |b| ArrayD::read_npy(Cursor::new(b)).map(NpyArray::U8),
        |b| ArrayD::read_npy(Cursor::new(b)).map(NpyArray::I8),
        |b| ArrayD::read_npy(Cursor::new(b)).map(NpyArray::I16),
        |b| ArrayD::read_npy(Cursor::new(b)).map(NpyArray::I32),
        |b| ArrayD::read_npy(Cursor::new(b)).map(NpyArray::I64),
        |b| ArrayD::read_npy(Cursor::new(b)).map(NpyArray::U64),
        |b| ArrayD::read_npy(Cursor::new(b)).map(NpyArray::F32),
        |b| ArrayD::read_npy(Cursor::new(b)).map(NpyArray::F64),
    ];
    for reader in READERS {
        match reader(bytes) {
            Ok(array) => return Ok(array),
            Err(ReadNpyError::WrongDescriptor(_)) => {}
            Err(e) => return Err(malformed(&e)),
        }
    }
    Err(Diagnostic::new(Code::FileFormat, "the array has an element type that is not supported")
        .hint("convert it with `.astype(...)` to uint8, int8, int16, int32, int64, float32 or float64"))
}

/// The bytes of a `.npy` file (version 1.0, C order).
pub fn to_bytes<T: WritableElement + Clone>(array: &ArrayD<T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let standard = array.as_standard_layout();
    standard.write_npy(&mut bytes).expect("writing to memory does not fail");
    bytes
}

/// Writes a `.npy` file.
///
/// # Errors
/// `file-access` when it cannot be written.
pub fn write<T: WritableElement + Clone>(path: &Path, array: &ArrayD<T>) -> Result<()> {
    fs::write(path, to_bytes(array)).map_err(|e| access(path, &e))
}

fn malformed(error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new(Code::FileFormat, format!("not a .npy array: {error}"))
        .hint("write it with `numpy.save`")
}

fn access(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(Code::FileAccess, format!("cannot access the file: {error}"))
        .from(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn every_type_round_trips_and_rubbish_is_refused() {
        let a = array![[1i32, -2], [3, 4]].into_dyn();
        assert_eq!(parse(&to_bytes(&a)).unwrap(), NpyArray::I32(a));
        let f = array![0.5f32].into_dyn();
        let bytes = to_bytes(&f);
        assert_eq!(parse(&bytes).unwrap(), NpyArray::F32(f));
        assert_eq!(parse(&bytes[..bytes.len() - 1]).unwrap_err().code, Code::FileFormat);
        assert_eq!(parse(b"hello").unwrap_err().code, Code::FileFormat);
    }
}
