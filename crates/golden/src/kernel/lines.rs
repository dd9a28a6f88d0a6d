//! Memory in whole cache lines.
#![expect(unsafe_code, reason = "plain numbers seen as numbers of another width")]

/// 64 bytes, the width of the widest register and of a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Zeroed memory that starts at a multiple of 64 bytes and ends at one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    /// At least `bytes` bytes of zeros.
    pub(crate) fn zeros(bytes: usize) -> Self {
        Self(vec![Line([0; 64]); bytes.div_ceil(64)])
    }

    /// As bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        let (start, length) = (self.0.as_ptr(), self.0.len() * 64);
        // SAFETY: `Line` is 64 bytes without padding, and every byte is a `u8`.
        unsafe { std::slice::from_raw_parts(start.cast(), length) }
    }

    /// As bytes.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let (start, length) = (self.0.as_mut_ptr(), self.0.len() * 64);
        // SAFETY: `Line` is 64 bytes without padding, and every byte is a `u8`.
        unsafe { std::slice::from_raw_parts_mut(start.cast(), length) }
    }

    /// As 32-bit integers.
    pub(crate) fn ints(&self) -> &[i32] {
        let (start, length) = (self.0.as_ptr(), self.0.len() * 16);
        // SAFETY: `Line` is 64 bytes at a multiple of 64, and any 4 bytes are an `i32`.
        unsafe { std::slice::from_raw_parts(start.cast(), length) }
    }

    /// As 32-bit integers.
    pub(crate) fn ints_mut(&mut self) -> &mut [i32] {
        let (start, length) = (self.0.as_mut_ptr(), self.0.len() * 16);
        // SAFETY: `Line` is 64 bytes at a multiple of 64, and any 4 bytes are an `i32`.
        unsafe { std::slice::from_raw_parts_mut(start.cast(), length) }
    }

    /// As 64-bit words.
    pub(crate) fn words(&self) -> &[u64] {
        let (start, length) = (self.0.as_ptr(), self.0.len() * 8);
        // SAFETY: `Line` is 64 bytes at a multiple of 64, and any 8 bytes are a `u64`.
        unsafe { std::slice::from_raw_parts(start.cast(), length) }
    }

    /// As 64-bit words.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        let (start, length) = (self.0.as_mut_ptr(), self.0.len() * 8);
        // SAFETY: `Line` is 64 bytes at a multiple of 64, and any 8 bytes are a `u64`.
        unsafe { std::slice::from_raw_parts_mut(start.cast(), length) }
    }
}
