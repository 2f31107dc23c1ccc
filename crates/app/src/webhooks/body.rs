//! What people send about webhooks, checked.

use api::{Principal, Problem};
use domain::Role;
use serde::Deserialize;
use store::webhooks::{Settings, Webhook};
use url::Url;
use utoipa::ToSchema;

use super::EventType;

const MAX_URL: usize = 2000;
const MAX_DESCRIPTION: usize = 200;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhookBody {
    /// Where messages are sent: http or https, a public address.
    #[schema(example = "https://example.org/hooks/kinora")]
    pub url: String,
    /// What it is told of; empty or absent: everything.
    #[serde(default)]
    pub events: Vec<EventType>,
    #[serde(default)]
    pub description: String,
    /// Everybody's titles; for administrators.
    #[serde(default)]
    #[schema(example = false)]
    pub all_titles: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookBody {
    #[schema(example = "https://example.org/hooks/kinora")]
    pub url: Option<String>,
    pub events: Option<Vec<EventType>>,
    pub description: Option<String>,
    #[schema(example = false)]
    pub all_titles: Option<bool>,
    /// True also forgets that it was failing.
    pub enabled: Option<bool>,
}

impl NewWebhookBody {
    pub(super) fn settings(&self, principal: &Principal) -> Result<Settings, Problem> {
        let settings = Settings {
            url: check_url(&self.url)?,
            description: check_description(&self.description)?,
            events: words(&self.events),
            all_titles: self.all_titles,
        };
        may_hear_all(settings.all_titles, principal)?;
        Ok(settings)
    }
}

impl WebhookBody {
    pub(super) fn settings(&self, old: &Webhook, principal: &Principal) -> Result<Settings, Problem> {
        let settings = Settings {
            url: self.url.as_deref().map_or_else(|| Ok(old.url.clone()), check_url)?,
            description: self
                .description
                .as_deref()
                .map_or_else(|| Ok(old.description.clone()), check_description)?,
            events: self.events.as_deref().map_or_else(|| old.events.clone(), words),
            all_titles: self.all_titles.unwrap_or(old.all_titles),
        };
        may_hear_all(self.all_titles.unwrap_or_default(), principal)?;
        Ok(settings)
    }
}

fn may_hear_all(all: bool, principal: &Principal) -> Result<(), Problem> {
    if all { principal.require_role(Role::Admin) } else { Ok(()) }
}

/// The address in its canonical form. Whether it is a public one is looked at with every message, since names move.
fn check_url(text: &str) -> Result<String, Problem> {
    let bad = |words: &'static str| Problem::invalid("url", words);
    let url = Url::parse(text.trim())
        .map_err(|_| bad("This is not an address such as https://example.org/hook."))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(bad("Messages are sent to http and https addresses only."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("An address with a password in it is not taken; check the signature instead."));
    }
    if url.as_str().len() > MAX_URL {
        return Err(bad("An address has at most 2000 characters."));
    }
    Ok(url.into())
}

fn check_description(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > MAX_DESCRIPTION || text.chars().any(char::is_control) {
        return Err(Problem::invalid("description", "A description has at most 200 characters on one line."));
    }
    Ok(text.to_owned())
}

/// Each once, in the order of the list.
fn words(events: &[EventType]) -> String {
    let wanted = EventType::ALL.into_iter().filter(|event| events.contains(event));
    wanted.map(EventType::word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        assert_eq!(check_url(" HTTPS://Example.org/a ").unwrap(), "https://example.org/a");
        for bad in ["", "example.org", "ftp://a/", "file:///etc/passwd", "https://u:p@a/", "javascript:x"] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
        assert!(check_description("a\nb").is_err());
        assert_eq!(
            words(&[EventType::Failed, EventType::Ready, EventType::Failed]),
            "title.ready title.failed"
        );
    }
}
