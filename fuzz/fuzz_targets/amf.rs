//! AMF0: what can be read can be written, and is then read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::flv::amf::{Value, read_all, write};

/// Numbers that are none are not equal to themselves.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Number(number) | Value::Date(number) => !number.is_nan(),
        Value::Object(properties) | Value::Map(properties) => properties.iter().all(|(_, value)| is_plain(value)),
        Value::List(values) => values.iter().all(is_plain),
        _ => true,
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(values) = read_all(data) else { return };
    let mut out = Vec::new();
    values.iter().for_each(|value| write(&mut out, value));
    let again = read_all(&out);
    // Bytes that are not UTF-8 grow when they are written, and names may then be too long for their field.
    let grown = out.len() > data.len() + 4 * values.len();
    match again {
        Ok(again) if values.iter().all(is_plain) && !grown => assert_eq!(again, values),
        Ok(_) => {}
        Err(error) => assert!(grown, "{error}"),
    }
});
