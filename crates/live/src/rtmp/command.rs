//! Commands and their answers (RTMP 1.0 §7.2), with the capabilities of Enhanced RTMP v2 ("Enhancing NetConnection connect Command").

use media::flv::amf::{self, Value};

use super::Fault;

/// Codecs that are taken, by their names in extended tags.
pub const VIDEO_CODECS: [&str; 4] = ["avc1", "hvc1", "av01", "vp09"];
pub const AUDIO_CODECS: [&str; 3] = ["mp4a", "Opus", "ac-3"];
/// We can decode it, and forward it.
const CAN: f64 = 5.0;
/// Multitrack, modifiers, and the one for times.
const EXTENSIONS: f64 = 14.0;

#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub name: String,
    /// What the answer refers to; 0: none is wanted.
    pub transaction: f64,
    pub object: Value,
    pub arguments: Vec<Value>,
}

impl Command {
    pub fn read(body: &[u8]) -> Result<Self, Fault> {
        let mut values = amf::read_all(body).map_err(Fault::Command)?.into_iter();
        let wrong = || Fault::Command(media::Error::Invalid("command", "it has no name"));
        let Some(Value::Text(name)) = values.next() else { return Err(wrong()) };
        let transaction = values.next().and_then(|value| value.as_number()).unwrap_or(0.0);
        let object = values.next().unwrap_or(Value::Null);
        Ok(Self { name, transaction, object, arguments: values.collect() })
    }

    /// An argument that is a text.
    pub fn text(&self, n: usize) -> Option<&str> {
        self.arguments.get(n).and_then(Value::as_text)
    }
}

fn message(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| amf::write(&mut out, value));
    out
}

/// To `connect`.
pub fn connected(transaction: f64) -> Vec<u8> {
    let properties = Value::object([
        ("fmsVer", Value::text("FMS/3,5,7,7009")),
        ("capabilities", Value::Number(31.0)),
        ("mode", Value::Number(1.0)),
    ]);
    let list = |codecs: &[&str]| codecs.iter().map(|codec| Value::text(*codec)).collect::<Vec<_>>();
    let map = |codecs: &[&str]| {
        Value::Object(codecs.iter().map(|codec| ((*codec).to_owned(), Value::Number(CAN))).collect())
    };
    let information = Value::object([
        ("level", Value::text("status")),
        ("code", Value::text("NetConnection.Connect.Success")),
        ("description", Value::text("Connected.")),
        ("objectEncoding", Value::Number(0.0)),
        ("fourCcList", Value::List([list(&VIDEO_CODECS), list(&AUDIO_CODECS)].concat())),
        ("videoFourCcInfoMap", map(&VIDEO_CODECS)),
        ("audioFourCcInfoMap", map(&AUDIO_CODECS)),
        ("capsEx", Value::Number(EXTENSIONS)),
    ]);
    message(&[Value::text("_result"), Value::Number(transaction), properties, information])
}

/// To a call that worked.
pub fn result(transaction: f64, value: Value) -> Vec<u8> {
    message(&[Value::text("_result"), Value::Number(transaction), Value::Null, value])
}

/// To a call that did not.
pub fn error(transaction: f64, code: &str, description: &str) -> Vec<u8> {
    let information = Value::object([
        ("level", Value::text("error")),
        ("code", Value::text(code)),
        ("description", Value::text(description)),
    ]);
    message(&[Value::text("_error"), Value::Number(transaction), Value::Null, information])
}

/// How a stream stands (§7.2.2).
pub fn status(level: &str, code: &str, description: &str) -> Vec<u8> {
    let information = Value::object([
        ("level", Value::text(level)),
        ("code", Value::text(code)),
        ("description", Value::text(description)),
    ]);
    message(&[Value::text("onStatus"), Value::Number(0.0), Value::Null, information])
}

/// What old encoders wait for after `FCPublish`.
pub fn on_fc_publish(stream: &str) -> Vec<u8> {
    let information = Value::object([
        ("code", Value::text("NetStream.Publish.Start")),
        ("description", Value::text(stream)),
    ]);
    message(&[Value::text("onFCPublish"), Value::Number(0.0), Value::Null, information])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_is_answered_with_what_we_can() {
        let answer = Command::read(&connected(1.0)).unwrap();
        assert_eq!((answer.name.as_str(), answer.transaction), ("_result", 1.0));
        let information = &answer.arguments[0];
        let map = information.get("videoFourCcInfoMap").and_then(|map| map.get("hvc1")).unwrap();
        assert_eq!(map.as_number(), Some(5.0));
        assert_eq!(information.get("capsEx").and_then(Value::as_number), Some(14.0));
        let Some(Value::List(codecs)) = information.get("fourCcList") else { panic!("a list") };
        assert!(codecs.contains(&Value::text("av01")) && codecs.contains(&Value::text("Opus")));
    }

    #[test]
    fn a_command_has_a_name() {
        assert!(Command::read(&[]).is_err() && Command::read(&[5]).is_err());
        let short = Command::read(&message(&[Value::text("x")])).unwrap();
        assert_eq!((short.transaction, short.object), (0.0, Value::Null));
    }
}
