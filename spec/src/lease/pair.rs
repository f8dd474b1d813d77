//! The state of one lease seen through two actors, packed in a small integer.

use core::fmt;
use core::str::FromStr;

use crate::token::Token;

/// Which of the two actors of a pair. The contract does not distinguish them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The actor `a` of `Lease.tla`. A judge puts the one that moves here.
    A,
    /// The actor `b`, the rival.
    B,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "a",
            Self::B => "b",
        })
    }
}

/// The variables of `Lease.tla` for two actors.
///
/// Shape: arrays are indexed by [`Side`]. Written as `owner=a works=a doubted=- token=open,none stained=no`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PairState {
    /// Whom the store names, if it is one of the two.
    pub owner: Option<Side>,
    /// Who works as primary.
    pub works: [bool; 2],
    /// Whose time is disturbed.
    pub doubted: [bool; 2],
    /// The epoch of each.
    pub token: [Token; 2],
    /// Whether an older epoch of one of the two was accepted after a newer one.
    pub stained: bool,
}

impl PairState {
    /// The state as a small integer; the initial state is zero.
    #[must_use]
    pub const fn code(self) -> PairCode {
        pair_code(
            self.owner,
            actor_code(self.works[0], self.doubted[0], self.token[0]),
            actor_code(self.works[1], self.doubted[1], self.token[1]),
            self.stained,
        )
    }

    /// The same state after the actors changed sides.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        Self {
            owner: match self.owner {
                None => None,
                Some(Side::A) => Some(Side::B),
                Some(Side::B) => Some(Side::A),
            },
            works: [self.works[1], self.works[0]],
            doubted: [self.doubted[1], self.doubted[0]],
            token: [self.token[1], self.token[0]],
            stained: self.stained,
        }
    }
}

/// A [`PairState`] as an integer below [`PairCode::COUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairCode(u16);

impl PairCode {
    /// How many well-typed states there are: 3 owners, 12 states of each actor, stained or not.
    pub const COUNT: usize = 3 * 12 * 12 * 2;

    /// Every code, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(|code| Self(u16::try_from(code).expect("fewer than 65536 codes")))
    }

    /// The code as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The state that it stands for.
    #[must_use]
    pub const fn state(self) -> PairState {
        let (rest, stained) = (self.0 / 2, self.0 % 2 == 1);
        let (b, a) = (rest % 12, rest / 12 % 12);
        PairState {
            owner: match rest / 144 {
                0 => None,
                1 => Some(Side::A),
                _ => Some(Side::B),
            },
            works: [a % 2 == 1, b % 2 == 1],
            doubted: [a / 2 % 2 == 1, b / 2 % 2 == 1],
            token: [Token::ALL[(a / 4) as usize], Token::ALL[(b / 4) as usize]],
            stained,
        }
    }
}

/// What one actor adds to the code of a pair; below twelve.
pub(crate) const fn actor_code(works: bool, doubted: bool, token: Token) -> u16 {
    works as u16 + 2 * doubted as u16 + 4 * token as u16
}

/// The code of a pair from what its actors add.
pub(crate) const fn pair_code(owner: Option<Side>, a: u16, b: u16, stained: bool) -> PairCode {
    let owner = match owner {
        None => 0,
        Some(Side::A) => 1,
        Some(Side::B) => 2,
    };
    PairCode(((owner * 12 + a) * 12 + b) * 2 + stained as u16)
}

impl fmt::Display for PairState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = match self.owner {
            None => "-",
            Some(Side::A) => "a",
            Some(Side::B) => "b",
        };
        write!(
            f,
            "owner={owner} works={} doubted={} token={},{} stained={}",
            set_name(self.works),
            set_name(self.doubted),
            self.token[0].name(),
            self.token[1].name(),
            if self.stained { "yes" } else { "no" }
        )
    }
}

impl FromStr for PairState {
    type Err = &'static str;

    /// Reads what `Display` writes.
    ///
    /// # Errors
    /// Says which field was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(' ');
        let mut field = |key: &str| words.next()?.strip_prefix(key)?.strip_prefix('=');
        let owner = match field("owner") {
            Some("-") => None,
            Some("a") => Some(Side::A),
            Some("b") => Some(Side::B),
            _ => return Err("owner=- or owner=a or owner=b"),
        };
        let works = field("works").and_then(set_of).ok_or("works=- or a or b or ab")?;
        let doubted = field("doubted").and_then(set_of).ok_or("doubted=- or a or b or ab")?;
        let token = field("token")
            .and_then(|tokens| tokens.split_once(','))
            .and_then(|(a, b)| Some([Token::from_name(a)?, Token::from_name(b)?]))
            .ok_or("token= with two of none, open, fenced")?;
        let stained = match field("stained") {
            Some("yes") => true,
            Some("no") => false,
            _ => return Err("stained=yes or stained=no"),
        };
        if words.next().is_some() {
            return Err("nothing after stained=");
        }
        Ok(Self { owner, works, doubted, token, stained })
    }
}

fn set_name(members: [bool; 2]) -> &'static str {
    match members {
        [false, false] => "-",
        [true, false] => "a",
        [false, true] => "b",
        [true, true] => "ab",
    }
}

fn set_of(name: &str) -> Option<[bool; 2]> {
    [[false, false], [true, false], [false, true], [true, true]].into_iter().find(|members| set_name(*members) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_text_are_read_back_as_written() {
        for code in PairCode::all() {
            let state = code.state();
            assert_eq!(state.code(), code);
            assert_eq!(state.to_string().parse(), Ok(state));
            assert_eq!(state.mirrored().mirrored(), state);
        }
        assert_eq!(PairState::default().code().index(), 0);
    }
}
