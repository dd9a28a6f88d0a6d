//! Ends of runs of bytes that share a four.
//!
//! The kernels multiply fours of bytes. A row of a 3 x 3 kernel over pixels of three bytes is nine bytes
//! in a row, of which the ninth would take a four for itself. So a second map stands behind the map: in
//! place of each byte of a pixel it has the ninth byte of another row of the kernel that begins with that
//! pixel. There, the three of them are one four.

use crate::layout::Store;
use crate::windows::Windows;

/// The second map.
#[derive(Debug, Clone)]
pub(crate) struct Tails {
    /// Bytes of the map: where the second one begins.
    pub(crate) first: usize,
    /// Bytes of a tail.
    pub(crate) length: usize,
    /// Runs whose tails are together.
    pub(crate) together: usize,
    /// For each byte of a pixel how far behind it lies what stands in its place.
    shifts: Vec<usize>,
    /// For each byte of a pixel all ones, in all pixels.
    masks: Vec<Vec<u8>>,
}

/// With fewer than one four in so many saved, the second map costs more.
const WORTH: usize = 16;

impl Tails {
    /// If tails can be together, and it is worth it.
    pub(crate) fn new(windows: &Windows) -> Option<Self> {
        let (runs, taps): (_, Vec<usize>) = (windows.runs(), windows.taps().collect());
        let channels = windows.padded.map.channels;
        let (first, taps_of_run) = runs[0];
        let pitch = taps[runs.get(1)?.0] - taps[first];
        let regular = |(at, &(first, count)): (usize, &(usize, usize))| {
            taps[first] == at * pitch && count == taps_of_run
        };
        let (run, length) = (taps_of_run * channels, taps_of_run * channels % 4);
        let together = channels.min(4).checked_div(length).map_or(0, |many| many.min(runs.len()));
        if together < 2 || !runs.iter().enumerate().all(regular) {
            return None;
        }
        let fours = runs.len() * run.div_ceil(4);
        let saved = runs.len() - runs.len().div_ceil(together);
        if saved * WORTH < fours {
            return None;
        }
        let Store::Bytes(map) = windows.padded.store() else { return None };
        let first = map.len();
        let parts = 0..together * length;
        let shift = |part| run - length + part / length * (pitch * channels - length);
        let bit = |at, part| if at % channels == part { u8::MAX } else { 0 };
        let mask = |part| (0..first).map(|at| bit(at, part)).collect();
        let shifts = parts.clone().map(shift).collect();
        let masks = parts.map(mask).collect();
        Some(Self { first, length, together, shifts, masks })
    }

    /// Memory for both maps.
    pub(crate) fn store(&self) -> Store {
        Store::Bytes(vec![0; 2 * self.first])
    }

    /// Makes both maps.
    pub(crate) fn fill(&self, map: &Store, both: &mut Store) {
        let (Store::Bytes(map), Store::Bytes(both)) = (map, both) else {
            unreachable!("tails are bytes")
        };
        let (copy, tails) = both.split_at_mut(self.first);
        copy.copy_from_slice(map);
        tails.fill(0);
        for (&shift, mask) in self.shifts.iter().zip(&self.masks) {
            for ((tail, byte), mask) in tails.iter_mut().zip(&map[shift..]).zip(mask) {
                *tail |= byte & mask;
            }
        }
    }
}
