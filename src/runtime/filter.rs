//! Filters and sorters, typed by the operation they are for.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

/// What to filter a collection by. `Op` is the builder of the operation: a filter for one operation
/// does not compile for another.
///
/// Made from the constants in [`fields`](crate::fields), and combined with `&`, `|` and `!`. A string
/// is taken as it is, in the service's own syntax.
///
/// ```
/// # use sailpoint_role_mining::{Filter, builder};
/// let raw: Filter<builder::GetRoleMiningSessions> = r#"name sw "Q3" or name sw "Q4""#.into();
/// let again = raw.clone();
/// assert_eq!((!raw & again).to_string(), r#"not (name sw "Q3" or name sw "Q4") and (name sw "Q3" or name sw "Q4")"#);
/// ```
pub struct Filter<Op> {
    text: String,
    binds: Binds,
    operation: PhantomData<fn() -> Op>,
}

/// How tightly the outermost part of an expression binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binds {
    /// It is not known: a string.
    Unknown,
    Or,
    And,
    Whole,
}

impl<Op> Filter<Op> {
    fn new(text: String, binds: Binds) -> Self {
        Filter { text, binds, operation: PhantomData }
    }

    #[allow(dead_code, reason = "not every document has operations that filter")]
    pub(crate) fn comparison(text: String) -> Self {
        Filter::new(text, Binds::Whole)
    }

    /// The text, in parentheses where it binds less tightly than what it goes into.
    fn within(self, outer: Binds) -> String {
        if self.binds >= outer { self.text } else { format!("({})", self.text) }
    }
}

impl<Op> Clone for Filter<Op> {
    fn clone(&self) -> Self {
        Filter::new(self.text.clone(), self.binds)
    }
}

impl<Op> fmt::Display for Filter<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<Op> fmt::Debug for Filter<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({})", self.text)
    }
}

impl<Op> From<&str> for Filter<Op> {
    fn from(text: &str) -> Self {
        Filter::new(text.to_owned(), Binds::Unknown)
    }
}

impl<Op> From<String> for Filter<Op> {
    fn from(text: String) -> Self {
        Filter::new(text, Binds::Unknown)
    }
}

impl<Op> BitAnd for Filter<Op> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Filter::new(format!("{} and {}", self.within(Binds::And), other.within(Binds::And)), Binds::And)
    }
}

impl<Op> BitOr for Filter<Op> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Filter::new(format!("{} or {}", self.within(Binds::Or), other.within(Binds::Or)), Binds::Or)
    }
}

impl<Op> Not for Filter<Op> {
    type Output = Self;

    fn not(self) -> Self {
        Filter::new(format!("not ({})", self.text), Binds::Whole)
    }
}

/// A value that a field is compared with, as the service writes it: strings in double quotes, with
/// `"` and `\` escaped; numbers and booleans bare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal(String);

impl Literal {
    #[allow(dead_code, reason = "not every document has fields that take lists")]
    pub(crate) fn list(values: impl IntoIterator<Item = impl Into<Literal>>) -> String {
        let values: Vec<String> = values.into_iter().map(|value| value.into().0).collect();
        format!("({})", values.join(", "))
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Literal(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Literal {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<chrono::DateTime<chrono::Utc>> for Literal {
    fn from(time: chrono::DateTime<chrono::Utc>) -> Self {
        time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).into()
    }
}

macro_rules! bare {
    ($($kind:ty)*) => {$(
        impl From<$kind> for Literal {
            fn from(value: $kind) -> Self {
                Literal(value.to_string())
            }
        }
    )*};
}

bare!(bool i32 i64 u32 u64 f64);

/// What to sort a collection by. `Op` is the builder of the operation.
///
/// Made from the constants in [`fields`](crate::fields), one or an array of them, the first counting
/// most. A string is taken as it is: `-modified,name`.
pub struct Sorters<Op> {
    text: String,
    operation: PhantomData<fn() -> Op>,
}

impl<Op> Sorters<Op> {
    #[allow(dead_code, reason = "not every document has operations that filter")]
    pub(crate) fn new(text: String) -> Self {
        Sorters { text, operation: PhantomData }
    }
}

impl<Op> Clone for Sorters<Op> {
    fn clone(&self) -> Self {
        Sorters::new(self.text.clone())
    }
}

impl<Op> fmt::Display for Sorters<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<Op> fmt::Debug for Sorters<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sorters({})", self.text)
    }
}

impl<Op> From<&str> for Sorters<Op> {
    fn from(text: &str) -> Self {
        Sorters::new(text.to_owned())
    }
}

impl<Op> From<String> for Sorters<Op> {
    fn from(text: String) -> Self {
        Sorters::new(text)
    }
}

impl<Op, const N: usize> From<[Sorters<Op>; N]> for Sorters<Op> {
    fn from(sorters: [Sorters<Op>; N]) -> Self {
        sorters.into_iter().collect()
    }
}

impl<Op> FromIterator<Sorters<Op>> for Sorters<Op> {
    fn from_iter<I: IntoIterator<Item = Sorters<Op>>>(sorters: I) -> Self {
        let texts: Vec<String> = sorters.into_iter().map(|sorter| sorter.text).collect();
        Sorters::new(texts.join(","))
    }
}

/// The fields of one operation, each with a method for each operator it takes.
#[allow(unused_macros, reason = "not every document has operations that filter")]
macro_rules! fields {
    ($builder:ty { $($(#[$doc:meta])* $constant:ident: $kind:ident = $wire:literal [$($operator:ident)*] [$($sort:ident)?];)* }) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $kind;

        $(#[$doc])*
        pub const $constant: $kind = $kind;

        impl $kind {
            $($crate::runtime::filter::operator!($operator $builder, $wire);)*
            $($crate::runtime::filter::operator!($sort $builder, $wire);)?
        }
    )*};
}

/// The method for one operator.
#[allow(unused_macros, reason = "not every document has operations that filter")]
macro_rules! operator {
    (eq $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!("The field equals `value`.", eq "eq" $builder, $wire);
    };
    (ne $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!("The field differs from `value`.", ne "ne" $builder, $wire);
    };
    (lt $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!("The field is less than `value`.", lt "lt" $builder, $wire);
    };
    (le $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!("The field is `value` or less.", le "le" $builder, $wire);
    };
    (gt $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!("The field is greater than `value`.", gt "gt" $builder, $wire);
    };
    (ge $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!("The field is `value` or greater.", ge "ge" $builder, $wire);
    };
    (sw $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!("The field starts with `value`.", starts_with "sw" $builder, $wire);
    };
    (ew $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!("The field ends with `value`.", ends_with "ew" $builder, $wire);
    };
    (co $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!("The field contains `value`.", contains "co" $builder, $wire);
    };
    (ca $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!(list "The field contains all of `values`.", contains_all "ca" $builder, $wire);
    };
    (is_in $builder:ty, $wire:literal) => {
        $crate::runtime::filter::operator!(list "The field is one of `values`.", is_in "in" $builder, $wire);
    };
    (pr $builder:ty, $wire:literal) => {
        /// The field has a value.
        pub fn is_present(self) -> $crate::Filter<$builder> {
            $crate::Filter::comparison(format!("pr {}", $wire))
        }
    };
    (isnull $builder:ty, $wire:literal) => {
        /// The field is null.
        pub fn is_null(self) -> $crate::Filter<$builder> {
            $crate::Filter::comparison(format!("{} isnull", $wire))
        }
    };
    (sort $builder:ty, $wire:literal) => {
        /// Sorts by the field, smallest first.
        pub fn asc(self) -> $crate::Sorters<$builder> {
            $crate::Sorters::new($wire.to_owned())
        }

        /// Sorts by the field, greatest first.
        pub fn desc(self) -> $crate::Sorters<$builder> {
            $crate::Sorters::new(concat!("-", $wire).to_owned())
        }
    };
    (list $doc:literal, $method:ident $operator:literal $builder:ty, $wire:literal) => {
        #[doc = $doc]
        pub fn $method(
            self,
            values: impl IntoIterator<Item = impl Into<$crate::Literal>>,
        ) -> $crate::Filter<$builder> {
            $crate::Filter::comparison(format!("{} {} {}", $wire, $operator, $crate::Literal::list(values)))
        }
    };
    ($doc:literal, $method:ident $operator:literal $builder:ty, $wire:literal) => {
        #[doc = $doc]
        pub fn $method(self, value: impl Into<$crate::Literal>) -> $crate::Filter<$builder> {
            let value: $crate::Literal = value.into();
            $crate::Filter::comparison(format!("{} {} {value}", $wire, $operator))
        }
    };
}

#[allow(unused_imports, reason = "not every document has operations that filter")]
pub(crate) use {fields, operator};
