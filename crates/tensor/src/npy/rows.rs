//! Arrays that are read some rows at a time.

use super::{NpyArray, access, malformed, parse};
use diagnostic::Result;
use ndarray_npy::npy::header::Header;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A `.npy` file, of which no more is in memory than the rows that are asked for. A row is all that
/// belongs to an index of the first axis.
pub struct Rows {
    path: PathBuf,
    file: Box<dyn Seekable>,
    header: Header,
    /// Where the first row starts, and the bytes of each.
    start: u64,
    row: usize,
    /// Those that have been read, once there was anything.
    read: Option<usize>,
}

trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

impl Rows {
    /// Opens a file.
    ///
    /// # Errors
    /// `file-access` when it cannot be read, `file-format` when it is not a `.npy` file. What else
    /// [`read`](super::read) refuses comes with the first rows.
    pub fn open(path: &Path) -> Result<Self> {
        let unreadable = |e| access(path, &e);
        let mut file = File::open(path).map_err(unreadable)?;
        let mut file: Box<dyn Seekable> = if file.metadata().is_ok_and(|facts| facts.is_file()) {
            Box::new(BufReader::new(file))
        } else {
            // What comes through a pipe comes once.
            let mut all = Vec::new();
            file.read_to_end(&mut all).map_err(unreadable)?;
            Box::new(Cursor::new(all))
        };
        let header = Header::from_reader(&mut file)
            .map_err(|e| malformed(&e).from(path.display().to_string()))?;
        let start = file.stream_position().map_err(unreadable)?;
        let bytes = file.seek(SeekFrom::End(0)).map_err(unreadable)? - start;
        let count = header.shape.first().map_or(0, |&rows| rows as u64);
        // Of columns together, or if bytes are missing, there are no rows: all is read at once.
        let splits = !header.layout.is_fortran() && count > 0 && bytes.is_multiple_of(count);
        let row = if splits { (bytes / count) as usize } else { 0 };
        Ok(Self { path: path.into(), file, header, start, row, read: None })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The shape of the whole array.
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// Goes back to the first row.
    pub fn rewind(&mut self) {
        self.read = None;
    }

    /// The next rows, at most so many; `None` behind the last. An array without rows comes once.
    ///
    /// # Errors
    /// As for [`read`](super::read).
    pub fn next(&mut self, rows: usize) -> Result<Option<NpyArray>> {
        let read = self.read.unwrap_or(0);
        let left = self.header.shape.first().map_or(1, |&all| all) - read;
        if left == 0 && self.read.is_some() {
            return Ok(None);
        }
        let mut header = self.header.clone();
        let rows = if self.row > 0 { rows.min(left) } else { left };
        if let Some(first) = header.shape.first_mut() {
            *first = rows;
        }
        let from = self.path.display().to_string();
        let mut bytes = header.to_bytes().map_err(|e| malformed(&e).from(from.clone()))?;
        let place = SeekFrom::Start(self.start + (read * self.row) as u64);
        let most = if self.row > 0 { (rows * self.row) as u64 } else { u64::MAX };
        self.file
            .seek(place)
            .and_then(|_| (&mut self.file).take(most).read_to_end(&mut bytes))
            .map_err(|e| access(&self.path, &e))?;
        self.read = Some(read + rows);
        parse(&bytes).map(Some).map_err(|e| e.from(from))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{to_bytes, write};
    use super::*;
    use diagnostic::Code;
    use ndarray::{Array2, ArrayD, Axis, IxDyn, ShapeBuilder};

    fn all(path: &Path, rows: usize) -> Result<Vec<NpyArray>> {
        let mut file = Rows::open(path)?;
        let mut found = Vec::new();
        while let Some(array) = file.next(rows)? {
            found.push(array);
        }
        file.rewind();
        assert_eq!(file.next(rows)?.as_ref(), found.first());
        Ok(found)
    }

    #[test]
    fn rows_come_in_parts_and_make_the_array() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let array = Array2::from_shape_fn((7, 3), |(y, x)| (10 * y + x) as i16).into_dyn();
        write(&path, &array).unwrap();
        for rows in [1, 3, 7, 9] {
            let parts = array.axis_chunks_iter(Axis(0), rows).map(|p| NpyArray::I16(p.to_owned()));
            assert_eq!(all(&path, rows).unwrap(), parts.collect::<Vec<_>>());
        }

        // By columns, without rows, and without axes: all of it, once.
        let mut columns = ArrayD::<i16>::zeros(IxDyn(&[7, 3]).f());
        columns.assign(&array);
        let mut bytes = Vec::new();
        ndarray_npy::WriteNpyExt::write_npy(&columns, &mut bytes).unwrap();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(all(&path, 2).unwrap(), [NpyArray::I16(array.clone())]);
        for shape in [&[0, 3][..], &[]] {
            let array = ArrayD::<u8>::zeros(shape);
            write(&path, &array).unwrap();
            assert_eq!(all(&path, 2).unwrap(), [NpyArray::U8(array)]);
        }

        // As long as two bytes an element, which are four.
        let bytes = to_bytes(&ArrayD::<f32>::zeros(IxDyn(&[4, 2])));
        for cut in [1, 16] {
            std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
            assert_eq!(all(&path, 2).unwrap_err().code, Code::FileFormat);
        }
        std::fs::write(&path, b"hello").unwrap();
        assert_eq!(all(&path, 2).unwrap_err().code, Code::FileFormat);
        assert_eq!(all(&folder.path().join("y"), 2).unwrap_err().code, Code::FileAccess);
    }
}
