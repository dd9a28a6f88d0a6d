//! The engines that may have something to do.

/// A set of engines, given out from the input on: so an engine comes when those in front of it have
/// done all they can, and finds many words at once.
pub(crate) struct Waiting {
    /// A bit for each: the outside, which brings the words, then the engines.
    bits: Vec<u64>,
}

/// Who may have something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    /// The source of words.
    Outside,
    /// An engine.
    Engine(usize),
}

impl Waiting {
    /// Nobody of so many engines.
    pub(crate) fn new(engines: usize) -> Self {
        Self { bits: vec![0; (engines + 1).div_ceil(64)] }
    }

    pub(crate) fn add(&mut self, party: Party) {
        let place = match party {
            Party::Outside => 0,
            Party::Engine(engine) => engine + 1,
        };
        self.bits[place / 64] |= 1 << (place % 64);
    }

    /// Takes the first out of the set.
    pub(crate) fn next(&mut self) -> Option<Party> {
        let (index, bits) = self.bits.iter_mut().enumerate().find(|(_, bits)| **bits != 0)?;
        let place = index * 64 + bits.trailing_zeros() as usize;
        *bits &= *bits - 1;
        Some(place.checked_sub(1).map_or(Party::Outside, Party::Engine))
    }
}
