//! How the decisions that separate published rules from hardened ones are written down: one enum each, as data.

/// Declares decisions. The first variant of each enum is what the published design does.
macro_rules! decisions {
    ($( $(#[$doc:meta])* $name:ident { $( $(#[$vdoc:meta])* $variant:ident ),+ $(,)? } )+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
        pub enum $name { $( $(#[$vdoc])* $variant ),+ }
    )+ };
}
pub(crate) use decisions;
