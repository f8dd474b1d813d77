//! What a HAID says, in the numbers that machines use: aliases are `cs_0`, `cs_1` and so on, and the id
//! of the first context is 1.

use super::haid::{Codec, HaidGrammar, HaidText};
use super::message::{Alias, ContextId};
use core::fmt::Write;

/// Main, backup and context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// The main instance.
    pub main: Alias,
    /// The backup.
    pub backup: Alias,
    /// The context.
    pub id: ContextId,
}
/// What every alias begins with.
const PREFIX: &str = "cs_";

impl Binding {
    /// Reads a HAID as `grammar` has it; `None` if it is refused, or names what no machine here is called.
    #[must_use]
    pub fn decode(haid: &HaidText, grammar: HaidGrammar) -> Option<Self> {
        let haid = Codec::new(grammar).decode(haid.as_bytes()).ok()?;
        let alias = |text: &str| text.strip_prefix(PREFIX)?.parse().ok().map(Alias);
        Some(Self {
            main: alias(haid.main)?,
            backup: alias(haid.backup)?,
            id: ContextId(haid.id.parse::<u32>().ok()?.checked_sub(1)?),
        })
    }

    /// Its HAID.
    #[must_use]
    pub fn encode(&self) -> HaidText {
        let [main, backup] = [self.main, self.backup].map(|alias| short(format_args!("{PREFIX}{}", alias.0)));
        let id = short(format_args!("{}", u64::from(self.id.0) + 1));
        let mut haid = HaidText::default();
        let written = Codec::new(HaidGrammar::Strict).encode_into(&mut haid, text(&main), text(&backup), text(&id));
        assert!(written.is_ok(), "two short aliases and a number fit, and make a canonical HAID");
        haid
    }

    /// The HAID with another main: the first alias that it does not name, of so many.
    #[must_use]
    pub fn relabelled(haid: &HaidText, aliases: u16) -> Option<HaidText> {
        let binding = Self::decode(haid, HaidGrammar::Lenient)?;
        let mut others = (0..aliases).map(|n| Alias(n as u8)).filter(|n| ![binding.main, binding.backup].contains(n));
        others.next().map(|main| Self { main, ..binding }.encode())
    }

    /// The HAID in another spelling, with a leading zero.
    #[must_use]
    pub fn respelled(haid: &HaidText) -> Option<HaidText> {
        let mut other = HaidText::default();
        write!(other, "0{}", text(haid)).ok()?;
        Some(other)
    }
}

fn short(arguments: core::fmt::Arguments<'_>) -> HaidText {
    let mut short = HaidText::default();
    let _ = short.write_fmt(arguments);
    short
}

/// What was written from text is text.
fn text(short: &HaidText) -> &str {
    core::str::from_utf8(short.as_bytes()).unwrap_or_default()
}
