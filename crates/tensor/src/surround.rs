//! What stands around a map.

use serde::{Deserialize, Serialize};

/// The integers that stand around a map: one set for all places, or one for places whose row + column
/// is even and one for those where it is odd, as on a checkerboard. Rows and columns count from the
/// first place of the padding. A set has one integer for all channels, or one for each.
///
/// ```
/// use tensor::Surround;
/// let odd_even = Surround::checkered(vec![1], vec![-1]);
/// assert_eq!([odd_even.at([0, 0], 5), odd_even.at([2, 1], 5)], [1, -1]);
/// assert_eq!(Surround::of(vec![3, 4]).at([0, 1], 1), 4);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surround(Vec<Vec<i64>>);

impl Surround {
    /// The same at all places.
    pub fn of(set: Vec<i64>) -> Self {
        Self(vec![set])
    }

    /// One set at even places and one at odd ones; a single set where they are equal.
    pub fn checkered(even: Vec<i64>, odd: Vec<i64>) -> Self {
        Self(if even == odd { vec![even] } else { vec![even, odd] })
    }

    /// Whether it depends on the place.
    pub fn is_checkered(&self) -> bool {
        self.0.len() > 1
    }

    /// Whether all channels have the same.
    pub fn is_alike(&self) -> bool {
        self.0.iter().all(|set| set.iter().all(|value| *value == set[0]))
    }

    /// Whether there are one or two sets for `channels` channels.
    pub fn fits(&self, channels: usize) -> bool {
        (1..=2).contains(&self.0.len()) && self.0.iter().all(|s| [1, channels].contains(&s.len()))
    }

    /// What stands at a place (row and column) for a channel.
    pub fn at(&self, [row, column]: [usize; 2], channel: usize) -> i64 {
        let set = &self.0[(row + column) % self.0.len()];
        set[channel % set.len()]
    }

    /// Every integer that stands somewhere.
    pub fn values(&self) -> impl Iterator<Item = i64> {
        self.0.iter().flatten().copied()
    }
}
