//! What events carry: it lies here while they wait, so that it is written once however often they are moved.

/// Where something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter(u32);

impl Letter {
    /// Nothing at all.
    pub const NONE: Self = Self(u32::MAX);

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }
}

/// What is under way.
///
/// Shape: slots that are used again, so that nothing is allocated once it has seen its largest size.
#[derive(Debug)]
pub struct Letters<T> {
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T: Copy> Letters<T> {
    /// Keeps something until it is forgotten.
    pub fn put(&mut self, content: &T) -> Letter {
        let Some(slot) = self.free.pop() else {
            self.slots.push(*content);
            return Letter((self.slots.len() - 1) as u32);
        };
        self.slots[slot as usize] = *content;
        Letter(slot)
    }

    /// Shows it.
    #[must_use]
    pub fn get(&self, letter: Letter) -> &T {
        &self.slots[letter.0 as usize]
    }

    /// Gives its slot up. Only once: the slot is somebody else's then.
    pub fn forget(&mut self, letter: Letter) {
        self.free.push(letter.0);
    }
}

/// Nothing yet.
impl<T> Default for Letters<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}
