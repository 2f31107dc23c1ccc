//! AMF0 (Action Message Format, version 0): the values of RTMP commands and of script data.

use crate::{Error, Result, bits::Fields};

/// Most values in one reading, nested ones included.
const MOST_VALUES: u32 = 2048;
/// Deepest nesting.
const DEEPEST: u32 = 16;

const NUMBER: u8 = 0;
const BOOLEAN: u8 = 1;
const TEXT: u8 = 2;
const OBJECT: u8 = 3;
const NULL: u8 = 5;
const UNDEFINED: u8 = 6;
const MAP: u8 = 8;
const END: u8 = 9;
const LIST: u8 = 10;
const DATE: u8 = 11;
const LONG_TEXT: u8 = 12;
const UNSUPPORTED: u8 = 13;
const XML: u8 = 15;
const TYPED: u8 = 16;
const AMF3: u8 = 17;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Number(f64),
    Boolean(bool),
    Text(String),
    /// In the order of writing; names may repeat.
    Object(Vec<(String, Value)>),
    Null,
    Undefined,
    /// ECMA array: an object that tells its size.
    Map(Vec<(String, Value)>),
    /// Strict array.
    List(Vec<Value>),
    /// Milliseconds since 1970.
    Date(f64),
}

impl Value {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An object of these properties.
    pub fn object<const N: usize>(properties: [(&str, Value); N]) -> Self {
        Self::Object(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// A property of an object or a map; the first of its name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(properties) | Self::Map(properties) => {
                properties.iter().find(|(n, _)| n == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }
}

/// All values of a message.
pub fn read_all(bytes: &[u8]) -> Result<Vec<Value>> {
    let mut reader = Reader { fields: Fields::new("AMF0", bytes), left: MOST_VALUES };
    let mut values = Vec::new();
    while !reader.fields.rest().is_empty() {
        values.push(reader.value(0)?);
    }
    Ok(values)
}

struct Reader<'a> {
    fields: Fields<'a>,
    /// Values that may still come.
    left: u32,
}

impl Reader<'_> {
    fn value(&mut self, depth: u32) -> Result<Value> {
        if depth > DEEPEST {
            return Err(Error::Invalid("AMF0", "values lie too deep within one another"));
        }
        self.left = self.left.checked_sub(1).ok_or(Error::TooLarge("AMF0", MOST_VALUES.into()))?;
        Ok(match self.fields.u8()? {
            NUMBER => Value::Number(self.number()?),
            BOOLEAN => Value::Boolean(self.fields.u8()? != 0),
            TEXT => Value::Text(self.short()?),
            OBJECT => Value::Object(self.properties(depth)?),
            TYPED => {
                self.short()?;
                Value::Object(self.properties(depth)?)
            }
            NULL => Value::Null,
            UNDEFINED | UNSUPPORTED => Value::Undefined,
            MAP => {
                // The number told is often wrong: the end mark counts.
                self.fields.skip(4)?;
                Value::Map(self.properties(depth)?)
            }
            LIST => {
                let count = self.fields.u32()?;
                if count > self.left {
                    return Err(Error::TooLarge("AMF0", MOST_VALUES.into()));
                }
                Value::List((0..count).map(|_| self.value(depth + 1)).collect::<Result<_>>()?)
            }
            DATE => {
                let date = self.number()?;
                self.fields.skip(2)?;
                Value::Date(date)
            }
            LONG_TEXT | XML => {
                let length = self.fields.u32()?;
                Value::Text(self.words(length as usize)?)
            }
            AMF3 => return Err(Error::Unsupported("AMF3".into())),
            _ => return Err(Error::Invalid("AMF0", "unknown kind of value")),
        })
    }

    fn properties(&mut self, depth: u32) -> Result<Vec<(String, Value)>> {
        let mut properties = Vec::new();
        loop {
            let name = self.short()?;
            if name.is_empty() && self.fields.rest().first() == Some(&END) {
                self.fields.skip(1)?;
                return Ok(properties);
            }
            properties.push((name, self.value(depth + 1)?));
        }
    }

    fn number(&mut self) -> Result<f64> {
        self.fields.u64().map(f64::from_bits)
    }

    fn short(&mut self) -> Result<String> {
        let length = self.fields.u16()?;
        self.words(length.into())
    }

    fn words(&mut self, length: usize) -> Result<String> {
        self.fields.take(length).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// Appends a value.
pub fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Number(number) => {
            out.push(NUMBER);
            out.extend(number.to_be_bytes());
        }
        Value::Boolean(is) => out.extend([BOOLEAN, u8::from(*is)]),
        Value::Text(text) => match u16::try_from(text.len()) {
            Ok(length) => {
                out.push(TEXT);
                out.extend(length.to_be_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            Err(_) => {
                out.push(LONG_TEXT);
                out.extend((text.len() as u32).to_be_bytes());
                out.extend_from_slice(text.as_bytes());
            }
        },
        Value::Object(properties) => {
            out.push(OBJECT);
            write_properties(out, properties);
        }
        Value::Null => out.push(NULL),
        Value::Undefined => out.push(UNDEFINED),
        Value::Map(properties) => {
            out.push(MAP);
            out.extend((properties.len() as u32).to_be_bytes());
            write_properties(out, properties);
        }
        Value::List(values) => {
            out.push(LIST);
            out.extend((values.len() as u32).to_be_bytes());
            values.iter().for_each(|value| write(out, value));
        }
        Value::Date(date) => {
            out.push(DATE);
            out.extend(date.to_be_bytes());
            out.extend([0; 2]);
        }
    }
}

fn write_properties(out: &mut Vec<u8>, properties: &[(String, Value)]) {
    for (name, value) in properties {
        let name = name.as_bytes();
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        out.extend(length.to_be_bytes());
        out.extend_from_slice(&name[..length.into()]);
        write(out, value);
    }
    out.extend([0, 0, END]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(values: &[Value]) -> Vec<u8> {
        let mut out = Vec::new();
        values.iter().for_each(|value| write(&mut out, value));
        out
    }

    #[test]
    fn a_command_is_read_as_the_specification_writes_it() {
        // Action Message Format -- AMF 0, §2.2 to §2.5.
        let bytes = [
            &[2, 0, 7][..],
            b"connect",
            &[0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
            &[3, 0, 3],
            b"app",
            &[2, 0, 4],
            b"live",
            &[0, 4],
            b"fpad",
            &[1, 0, 0, 0, 9],
            &[5],
        ]
        .concat();
        let object = Value::object([("app", Value::text("live")), ("fpad", Value::Boolean(false))]);
        let values = [Value::text("connect"), Value::Number(1.0), object, Value::Null];
        assert_eq!(read_all(&bytes).unwrap(), values);
        assert_eq!(written(&values), bytes);
        for cut in 0..bytes.len() {
            // Cut between values it is a shorter message; elsewhere it is refused.
            assert!(read_all(&bytes[..cut]).is_err() || [0, 10, 19, bytes.len() - 1].contains(&cut), "{cut}");
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = [3u8, 0, 1, b'a'].repeat(1000);
        assert_eq!(read_all(&deep), Err(Error::Invalid("AMF0", "values lie too deep within one another")));
        assert_eq!(read_all(&[5; 3000]), Err(Error::TooLarge("AMF0", 2048)));
        assert!(matches!(read_all(&[10, 0xff, 0xff, 0xff, 0xff, 5]), Err(Error::TooLarge(..))));
        assert!(read_all(&[12, 0xff, 0xff, 0xff, 0xff, b'a']).is_err());
    }

    #[test]
    fn amf3_is_refused_by_name() {
        assert_eq!(read_all(&[17, 4, 1]).unwrap_err().to_string(), "AMF3 is not supported");
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(|n| Value::Number(n.into())),
            any::<bool>().prop_map(Value::Boolean),
            "[a-zé]{0,9}".prop_map(Value::Text),
            Just(Value::Null),
            Just(Value::Undefined),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let properties = prop::collection::vec(("[a-z]{1,5}", inner.clone()), 0..4);
            prop_oneof![
                properties.clone().prop_map(Value::Object),
                properties.prop_map(Value::Map),
                prop::collection::vec(inner, 0..4).prop_map(Value::List),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_go_there_and_back(values in prop::collection::vec(value(), 0..4)) {
            prop_assert_eq!(read_all(&written(&values)).unwrap(), values);
        }
    }
}
