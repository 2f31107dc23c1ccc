//! What accounts do, without HTTP: also used by the command line.

use api::Problem;
use domain::{Micros, Role, Scope, TokenId, UserId};
use store::{
    Tx,
    tokens::{self, Kind, NewToken, Token},
    users::{self, NewUser, User},
};

use super::{password, secret};
use crate::{App, Error, Result};

/// Longest API token life, in days.
const MAX_TOKEN_DAYS: u32 = 3650;
/// Characters of a name that are kept.
const MAX_NAME: usize = 100;

/// A new session: what the browser gets, and until when it is good.
pub struct NewSession {
    pub secret: String,
    pub expires_at: Micros,
}

/// An account to be made, as people type it.
pub struct Application {
    pub email: String,
    pub name: String,
    pub password: String,
    pub role: Role,
}

impl App {
    pub(super) fn session_end(&self, now: Micros) -> Micros {
        now.plus(i64::from(self.config.session_days.max(1)) * Micros::DAY)
    }

    /// Makes the first account, the administrator. 409 once there is any.
    pub async fn set_up(&self, application: Application) -> Result<User> {
        if users::any(&mut self.store.reader().await?).await? {
            return Err(Problem::conflict("This Kinora has been set up already. Sign in instead.").into());
        }
        let new = self.prepare(Application { role: Role::Admin, ..application }).await?;
        let mut tx = self.store.begin().await?;
        if !users::insert_first(&mut tx, &new, self.clock.now()).await? {
            return Err(Problem::conflict("This Kinora has been set up already. Sign in instead.").into());
        }
        let user = users::by_email(&mut tx, &new.email).await?;
        let user = user.ok_or_else(|| Error::Internal("the new account is gone".into()))?;
        tx.commit().await?;
        tracing::info!(user = %user.id, "the first administrator was created");
        Ok(user)
    }

    /// Makes an account. 409 when the address is taken.
    pub async fn create_user(&self, application: Application) -> Result<User> {
        let new = self.prepare(application).await?;
        let mut tx = self.store.begin().await?;
        match users::insert(&mut tx, &new, self.clock.now()).await {
            Err(store::Error::Conflict(_)) => {
                return Err(Problem::conflict("There is an account with this address already.").into());
            }
            done => done?,
        }
        let user = users::get(&mut tx, new.id).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// The administrator in whose name the command line acts; makes one when there is none. Whoever sets up the instance
    /// later takes that account over.
    pub async fn administrator(&self) -> Result<User> {
        let mut tx = self.store.begin().await?;
        if let Some(user) = users::first_admin(&mut tx).await? {
            return Ok(user);
        }
        let new = NewUser {
            id: UserId::new(),
            email: "administrator@localhost".into(),
            name: self.config.name.clone(),
            password_hash: users::UNCLAIMED.into(),
            role: Role::Admin,
        };
        users::insert(&mut tx, &new, self.clock.now()).await?;
        let user = users::get(&mut tx, new.id).await?;
        tx.commit().await?;
        Ok(user)
    }

    async fn prepare(&self, application: Application) -> Result<NewUser> {
        let email = check_email(&application.email)?;
        let name = check_name(&application.name)?;
        password::check(&application.password, "password")?;
        let password_hash = self.passwords.hash(application.password).await?;
        Ok(NewUser { id: UserId::new(), email, name, password_hash, role: application.role })
    }

    /// The account, if the password is its own and it may sign in. One answer for every reason not to.
    pub(super) async fn check_password(&self, email: &str, password: String) -> Result<Option<User>> {
        let user = users::by_email(&mut self.store.reader().await?, email).await?;
        let stored = user.as_ref().map(|u| u.password_hash.as_str()).filter(|hash| *hash != users::UNCLAIMED);
        let right = self.passwords.matches(password, stored).await?;
        Ok(user.filter(|user| right && user.disabled_at.is_none()))
    }

    /// Opens a session for `user` on the browser `name`.
    pub(super) async fn open_session(&self, tx: &mut Tx, user: UserId, name: &str) -> Result<NewSession> {
        let now = self.clock.now();
        let secret = secret::fresh();
        let expires_at = self.session_end(now);
        let new = NewToken {
            id: TokenId::new(),
            user,
            kind: Kind::Session,
            secret_sha256: secret::hash(&secret),
            name: name.chars().filter(|c| !c.is_control()).take(200).collect(),
            scopes: String::new(),
            expires_at,
        };
        tokens::insert(tx, &new, now).await?;
        Ok(NewSession { secret, expires_at })
    }

    /// Makes an API token for `user`. Gives its secret, which is not kept.
    pub async fn create_token(
        &self,
        user: UserId,
        name: &str,
        scopes: &[Scope],
        days: Option<u32>,
    ) -> Result<(String, Token)> {
        let days = days.unwrap_or(365);
        if !(1..=MAX_TOKEN_DAYS).contains(&days) {
            return Err(Problem::invalid("expires_in_days", "A token lives 1 to 3650 days.").into());
        }
        if scopes.is_empty() {
            return Err(
                Problem::invalid("scopes", "Give at least one of read, upload, manage, admin.").into()
            );
        }
        let now = self.clock.now();
        let secret = format!("{}{}", secret::API_PREFIX, secret::fresh());
        let words: Vec<&str> = Scope::ALL.iter().filter(|s| scopes.contains(s)).map(|s| s.word()).collect();
        let new = NewToken {
            id: TokenId::new(),
            user,
            kind: Kind::Api,
            secret_sha256: secret::hash(&secret),
            name: check_name(name)?,
            scopes: words.join(" "),
            expires_at: now.plus(i64::from(days) * Micros::DAY),
        };
        let mut tx = self.store.begin().await?;
        tokens::insert(&mut tx, &new, now).await?;
        tx.commit().await?;
        let all = tokens::list(&mut self.store.reader().await?, user, Kind::Api, now).await?;
        let token = all.into_iter().find(|token| token.id == new.id);
        Ok((secret, token.ok_or_else(|| Error::Internal("a new token is gone".into()))?))
    }
}

/// The address in lower case, if it can be one.
pub(super) fn check_email(text: &str) -> Result<String, Problem> {
    let email = text.trim().to_lowercase();
    let plausible = email.len() <= 254
        && email
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
        && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    if plausible { Ok(email) } else { Err(Problem::invalid("email", "This is not an e-mail address.")) }
}

/// A name for people to read.
pub(super) fn check_name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Problem::invalid("name", "A name has 1 to 100 characters on one line."));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_checked() {
        assert_eq!(check_email(" Ann@Example.ORG ").unwrap(), "ann@example.org");
        for bad in ["", "ann", "@x", "ann@", "a b@c", "a@b@c", &format!("{}@x", "a".repeat(260))] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
        assert!(check_name("  ").is_err() && check_name("a\nb").is_err());
    }
}
