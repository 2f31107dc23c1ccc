//! Signatures of Standard Webhooks 1.0: `v1,` and the base64 of HMAC-SHA256 over id, timestamp and body.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Micros;
use store::webhooks::Webhook;

/// What every secret begins with, so that leaked ones can be found by scanners.
const PREFIX: &str = "whsec_";

/// 256 fresh random bits as text.
pub(super) fn fresh_secret() -> String {
    format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

/// The value of `webhook-signature`: one signature by each secret that is good now.
pub(super) fn signatures(webhook: &Webhook, id: &str, seconds: i64, body: &str, now: Micros) -> String {
    let old = webhook.old_secret.as_deref().filter(|_| now < webhook.old_secret_until);
    let secrets = std::iter::once(webhook.secret.as_str()).chain(old);
    let signed: Vec<String> =
        secrets.map(|secret| format!("v1,{}", one(secret, id, seconds, body))).collect();
    signed.join(" ")
}

fn one(secret: &str, id: &str, seconds: i64, body: &str) -> String {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX).unwrap_or(secret)).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    STANDARD.encode(hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's reference libraries.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let signed = one(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(signed, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_fresh() {
        let (one, two) = (fresh_secret(), fresh_secret());
        assert!(one.starts_with(PREFIX) && one != two);
        assert_eq!(STANDARD.decode(&one[PREFIX.len()..]).unwrap().len(), 32);
    }
}
