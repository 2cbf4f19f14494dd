//! Fixed vocabularies of the wire: enums whose spelling counts, case included (axi 2.2).

use std::fmt;
use std::str::FromStr;

/// A word of a fixed vocabulary, or one that a newer peer may know: it is kept, never written by us.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept<T> {
    /// In our vocabulary.
    Known(T),
    /// Not in it.
    Other(String),
}

impl<T: FromStr> Kept<T> {
    /// Looks the word up.
    pub fn read(text: &str) -> Kept<T> {
        text.parse().map_or_else(|_| Kept::Other(text.to_owned()), Kept::Known)
    }
}

impl<T: fmt::Display> fmt::Display for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kept::Known(word) => word.fmt(f),
            Kept::Other(text) => f.write_str(text),
        }
    }
}

/// A word that is not in the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAWord;

/// Declares a fixed vocabulary: an enum, how each word is spelt (case counts), and what it means.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $word,)* }

        impl $name {
            /// Every word, in the order of the specification.
            pub const ALL: &[$name] = &[$($name::$word,)*];

            /// How it is spelt on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$word => $text,)* }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::words::NotAWord;

            fn from_str(text: &str) -> Result<$name, $crate::words::NotAWord> {
                match text { $($text => Ok($name::$word),)* _ => Err($crate::words::NotAWord) }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use vocabulary;
