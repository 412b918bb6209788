//! How models are read from JSON and written to it.
//!
//! The service leaves fields out, sends null where its document forbids it, and adds values and
//! fields without notice. So: a null reads as absent, an enum keeps values it does not know, and a
//! model keeps fields it does not know in `extra`. What was set is written as it was set.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Fields that the document this crate was generated from does not know, by their name on the wire.
pub type Extra = serde_json::Map<String, Value>;

/// A field to be sent that has three states: left out, null, or a value.
///
/// ```
/// # use sailpoint_role_mining::Nullable;
/// let left_out: Nullable<i64> = Nullable::Absent;
/// let cleared: Nullable<i64> = Nullable::Null;
/// let set: Nullable<i64> = 50.into();
/// assert_eq!(set.get(), Some(&50));
/// assert_eq!((left_out.get(), cleared.get()), (None, None));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Nullable<T> {
    /// The field is left out.
    #[default]
    Absent,
    /// The field is sent as null, which clears what is stored.
    Null,
    /// The field is sent with this value.
    Value(T),
}

impl<T> Nullable<T> {
    /// The value, if there is one.
    pub fn get(&self) -> Option<&T> {
        match self {
            Nullable::Value(value) => Some(value),
            Nullable::Absent | Nullable::Null => None,
        }
    }

    /// The value, if there is one, without the rest.
    pub fn into_option(self) -> Option<T> {
        match self {
            Nullable::Value(value) => Some(value),
            Nullable::Absent | Nullable::Null => None,
        }
    }

    /// Whether the field is there, as null or with a value.
    pub fn is_present(&self) -> bool {
        !matches!(self, Nullable::Absent)
    }
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Nullable::Value(value)
    }
}

impl From<&str> for Nullable<String> {
    fn from(value: &str) -> Self {
        Nullable::Value(value.to_owned())
    }
}

/// `None` is null: to leave a field out, say [`Nullable::Absent`].
impl<T> From<Option<T>> for Nullable<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Nullable::Null, Nullable::Value)
    }
}

/// What can be read from the service.
pub(crate) trait Wire: Sized {
    /// Reads a value; a null is none.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;

    /// What an empty body says, where that is something.
    fn nothing() -> Option<Self> {
        None
    }

    /// How many fields of what was read are not known, to tell which of several models it is.
    #[allow(dead_code, reason = "not every document has unions")]
    fn unknown(&self) -> usize {
        0
    }
}

macro_rules! plain {
    ($($kind:ty)*) => {$(
        impl Wire for $kind {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                serde::Deserialize::deserialize(deserializer)
            }
        }
    )*};
}

plain!(bool String i64 f64 chrono::NaiveDate);

/// A null is a value here: what is not typed is kept as it came.
impl Wire for Value {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(Some)
    }

    fn nothing() -> Option<Self> {
        Some(Value::Null)
    }
}

impl Wire for Extra {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }

    fn nothing() -> Option<Self> {
        Some(Extra::new())
    }
}

/// RFC 3339, and the forms near it that Java services write: an offset without a colon, or none.
impl Wire for chrono::DateTime<chrono::Utc> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let Some(text) = <Option<Key<'de>> as serde::Deserialize>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let text = &*text.0;
        let parsed = chrono::DateTime::parse_from_rfc3339(text)
            .or_else(|_| chrono::DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
            .map(|time| time.to_utc())
            .or_else(|_| text.parse::<chrono::NaiveDateTime>().map(|time| time.and_utc()));
        match parsed {
            Ok(time) => Ok(Some(time)),
            Err(_) => {
                Err(de::Error::invalid_value(de::Unexpected::Str(text), &"a date and time of RFC 3339"))
            }
        }
    }
}

impl<T: Wire> Wire for Box<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        T::read(deserializer).map(|value| value.map(Box::new))
    }

    fn unknown(&self) -> usize {
        (**self).unknown()
    }
}

/// A place in a list or a map that may hold null.
impl<T: Wire> Wire for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        T::read(deserializer).map(Some)
    }

    fn unknown(&self) -> usize {
        self.as_ref().map_or(0, Wire::unknown)
    }
}

impl<T: Wire> Wire for Nullable<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        T::read(deserializer).map(|value| Some(value.into()))
    }

    fn unknown(&self) -> usize {
        self.get().map_or(0, Wire::unknown)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_option(Present(Items(PhantomData)))
    }

    fn unknown(&self) -> usize {
        self.iter().map(Wire::unknown).sum()
    }
}

impl<T: Wire> Wire for BTreeMap<String, T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_option(Present(Entries(PhantomData)))
    }
}

/// Reads with [`Wire`] where serde asks for a seed.
pub(crate) struct Seed<T>(PhantomData<T>);

impl<'de, T: Wire> DeserializeSeed<'de> for Seed<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::read(deserializer)
    }
}

/// Takes a null as none, and hands anything else to the visitor inside.
struct Present<V>(V);

impl<'de, V: Collection<'de>> Visitor<'de> for Present<V> {
    type Value = Option<V::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.start(deserializer).map(Some)
    }
}

trait Collection<'de>: Visitor<'de> {
    fn start<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error>;
}

struct Items<T>(PhantomData<T>);

impl<'de, T: Wire> Collection<'de> for Items<T> {
    fn start<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Wire> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Seed(PhantomData))? {
            items.extend(item);
        }
        Ok(items)
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Wire> Collection<'de> for Entries<T> {
    fn start<D: Deserializer<'de>>(self, deserializer: D) -> Result<BTreeMap<String, T>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Wire> Visitor<'de> for Entries<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BTreeMap<String, T>, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key()? {
            if let Some(value) = map.next_value_seed(Seed(PhantomData))? {
                entries.insert(key, value);
            }
        }
        Ok(entries)
    }
}

/// A string that is borrowed where the input allows it.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Reads the value of a field; an error tells the field.
pub(crate) fn field<'de, T: Wire, A: MapAccess<'de>>(
    map: &mut A,
    model: &str,
    name: &str,
) -> Result<Option<T>, A::Error> {
    map.next_value_seed(Seed(PhantomData))
        .map_err(|error| de::Error::custom(format_args!("{model}.{name}: {error}")))
}

/// Reads and writes a model by its fields: `optional`, `nullable` or `required`, and the name on the
/// wire.
macro_rules! model {
    ($name:ident { $($field:ident: $kind:ident $wire:literal,)* }) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> ::serde::de::Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str(concat!("the fields of ", stringify!($name)))
                    }

                    fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        $(let mut $field = None;)*
                        let mut extra = $crate::runtime::wire::Extra::new();
                        while let Some(key) = map.next_key::<$crate::runtime::wire::Key<'de>>()? {
                            match &*key.0 {
                                $($wire => {
                                    $field = Some($crate::runtime::wire::field(&mut map, stringify!($name), $wire)?);
                                })*
                                other => {
                                    extra.insert(other.to_owned(), map.next_value()?);
                                }
                            }
                        }
                        Ok($name { $($field: $crate::runtime::wire::take!($kind, $field, $wire),)* extra })
                    }
                }
                deserializer.deserialize_map(Fields)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $($crate::runtime::wire::put!($kind, map, &self.$field, $wire);)*
                for (name, value) in &self.extra {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }

        impl $crate::runtime::wire::Wire for $name {
            fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                ::serde::Deserialize::deserialize(deserializer)
            }

            fn unknown(&self) -> usize {
                self.extra.len() $(+ $crate::runtime::wire::Wire::unknown(&self.$field))*
            }
        }
    };
}

macro_rules! take {
    (optional, $field:ident, $wire:literal) => {
        $field.flatten()
    };
    (nullable, $field:ident, $wire:literal) => {
        $field.map_or($crate::Nullable::Absent, $crate::Nullable::from)
    };
    (required, $field:ident, $wire:literal) => {
        $field.flatten().ok_or_else(|| ::serde::de::Error::missing_field($wire))?
    };
    (list, $field:ident, $wire:literal) => {
        $field.flatten().unwrap_or_default()
    };
}

macro_rules! put {
    (optional, $map:ident, $field:expr, $wire:literal) => {
        if let Some(value) = $field {
            $map.serialize_entry($wire, value)?;
        }
    };
    (nullable, $map:ident, $field:expr, $wire:literal) => {
        match $field {
            $crate::Nullable::Absent => {}
            $crate::Nullable::Null => $map.serialize_entry($wire, &())?,
            $crate::Nullable::Value(value) => $map.serialize_entry($wire, value)?,
        }
    };
    ($kind:ident, $map:ident, $field:expr, $wire:literal) => {
        $map.serialize_entry($wire, $field)?
    };
}

#[allow(unused_macros, reason = "not every document has enums")]
/// Reads and writes an enum whose last variant holds values that are not known.
macro_rules! open_enum {
    ($name:ident, $unknown:ident { $($variant:ident = $wire:literal,)* }) => {
        impl $name {
            /// The value as it is on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $wire,)*
                    $name::$unknown(value) => value,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($wire => $name::$variant,)*
                    other => $name::$unknown(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                match &*value {
                    $($wire => $name::$variant,)*
                    _ => $name::$unknown(value),
                }
            }
        }

        impl From<$name> for $crate::Literal {
            fn from(value: $name) -> Self {
                value.as_str().into()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <$crate::runtime::wire::Key<'de> as ::serde::Deserialize>::deserialize(deserializer)?;
                Ok($name::from(&*value.0))
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::runtime::wire::Wire for $name {
            fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                ::serde::Deserialize::deserialize(deserializer)
            }

            fn unknown(&self) -> usize {
                usize::from(matches!(self, $name::$unknown(_)))
            }
        }
    };
}

#[allow(unused_macros, reason = "not every document has unions")]
/// Reads a union as the member with the fewest fields that are not known, and writes it as that.
macro_rules! union {
    ($name:ident, $other:ident { $($variant:ident($kind:ty),)* }) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <::serde_json::Value as ::serde::Deserialize>::deserialize(deserializer)?;
                let mut best: Option<(usize, $name)> = None;
                $(
                    if let Ok(Some(member)) = <$kind as $crate::runtime::wire::Wire>::read(&value) {
                        let unknown = $crate::runtime::wire::Wire::unknown(&member);
                        if best.as_ref().is_none_or(|(least, _)| unknown < *least) {
                            best = Some((unknown, $name::$variant(member)));
                        }
                    }
                )*
                Ok(best.map_or_else(|| $name::$other(value), |(_, member)| member))
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $($name::$variant(member) => ::serde::Serialize::serialize(member, serializer),)*
                    $name::$other(value) => ::serde::Serialize::serialize(value, serializer),
                }
            }
        }

        impl $crate::runtime::wire::Wire for $name {
            fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                ::serde::Deserialize::deserialize(deserializer)
            }
        }
    };
}

#[allow(unused_imports, reason = "not every document has enums and unions")]
pub(crate) use {model, open_enum, put, take, union};
