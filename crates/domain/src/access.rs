//! Who may see and do what: roles, token scopes and a title's visibility.

use crate::{Micros, UserId, locale::Country, words::words};

pub use crate::words::UnknownWord;

words! {
    /// What an account may do. Ordered: each role may do all that the ones before it may.
    Role, "viewer, creator, admin" {
        Viewer = "viewer",
        Creator = "creator",
        Admin = "admin",
    }
}

words! {
    /// What an API token may be used for. A token never exceeds its owner's role.
    Scope, "read, upload, manage, admin" {
        /// Read the library and play what the owner may play.
        Read = "read",
        /// Create and continue uploads.
        Upload = "upload",
        /// Edit and delete the owner's titles.
        Manage = "manage",
        /// Everything an administrator may do.
        Admin = "admin",
    }
}

words! {
    /// Who can find and open a title.
    Visibility, "public, unlisted, private, scheduled" {
        /// Everyone; listed and searchable.
        Public = "public",
        /// Everyone who has the link; never listed, never found.
        Unlisted = "unlisted",
        /// Its owner and administrators.
        Private = "private",
        /// As private, until its time to become public comes.
        Scheduled = "scheduled",
    }
}

/// Someone with an account, reduced to what the rules need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    pub user: UserId,
    pub role: Role,
}

/// Whoever is asking, where and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience {
    /// `None`: a visitor without an account.
    pub viewer: Option<Viewer>,
    /// `None`: nobody can tell.
    pub country: Option<Country>,
    pub now: Micros,
}

/// The time in which a title can be played: from `from` on and before `until`, without a bound where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    pub from: Option<Micros>,
    pub until: Option<Micros>,
}

/// To whom a title is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms<'a> {
    pub owner: UserId,
    pub visibility: Visibility,
    pub window: Window,
    /// Only there; `None`: everywhere.
    pub countries: Option<&'a [Country]>,
}

/// Why somebody who knows a title's address may not open it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// They must not learn that it exists.
    Hidden,
    NotYet {
        from: Micros,
    },
    Ended {
        until: Micros,
    },
    /// Where they are, or where nobody can tell that they are.
    Elsewhere,
}

impl Visibility {
    /// May everybody who knows its address open the title?
    pub fn is_open(self) -> bool {
        matches!(self, Self::Public | Self::Unlisted)
    }

    /// May the title appear in lists and search results shown to everybody?
    pub fn is_listed(self) -> bool {
        self == Self::Public
    }
}

impl Terms<'_> {
    /// May `audience` open the title, knowing its address? Whoever manages it always may.
    pub fn check(&self, audience: &Audience) -> Result<(), Refusal> {
        if audience.manages(self.owner) {
            return Ok(());
        }
        if !self.visibility.is_open() {
            return Err(Refusal::Hidden);
        }
        if let Some(countries) = self.countries
            && !audience.country.is_some_and(|country| countries.contains(&country))
        {
            return Err(Refusal::Elsewhere);
        }
        self.window.check(audience.now)
    }
}

impl Terms<'_> {
    /// Do these terms shut somebody out who may open the title now by the terms `before`?
    pub fn shut_out(&self, before: &Terms<'_>, now: Micros) -> bool {
        let closed = before.visibility.is_open() && !self.visibility.is_open();
        let narrower = match (before.countries, self.countries) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(after)) => before.iter().any(|country| !after.contains(country)),
        };
        let shut = before.window.check(now).is_ok() && self.window.check(now).is_err();
        let ends = |window: &Window| window.until.map_or(i64::MAX, |until| until.0);
        closed || narrower || shut || ends(&self.window) < ends(&before.window)
    }
}

impl Window {
    /// Is `now` inside?
    pub fn check(&self, now: Micros) -> Result<(), Refusal> {
        match *self {
            Self { from: Some(from), .. } if now < from => Err(Refusal::NotYet { from }),
            Self { until: Some(until), .. } if now >= until => Err(Refusal::Ended { until }),
            _ => Ok(()),
        }
    }
}

impl Audience {
    pub fn manages(&self, owner: UserId) -> bool {
        self.viewer.is_some_and(|viewer| viewer.may_manage(owner))
    }
}

impl Viewer {
    /// May this person edit, delete and inspect a title of `owner`?
    pub fn may_manage(self, owner: UserId) -> bool {
        self.role == Role::Admin || self.user == owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Micros = Micros(100);
    const UNTIL: Micros = Micros(200);

    fn audience(viewer: Option<(UserId, Role)>, country: Option<&str>, now: i64) -> Audience {
        Audience {
            viewer: viewer.map(|(user, role)| Viewer { user, role }),
            country: country.map(|code| code.parse().unwrap()),
            now: Micros(now),
        }
    }

    fn terms(owner: UserId, visibility: Visibility) -> Terms<'static> {
        Terms { owner, visibility, window: Window::default(), countries: None }
    }

    #[test]
    fn private_and_scheduled_titles_open_for_owner_and_admin_only() {
        let (owner, other) = (UserId::new(), UserId::new());
        for visibility in [Visibility::Private, Visibility::Scheduled] {
            let may = |viewer| terms(owner, visibility).check(&audience(viewer, None, 0));
            assert_eq!(may(Some((owner, Role::Viewer))), Ok(()));
            assert_eq!(may(Some((other, Role::Admin))), Ok(()));
            assert_eq!(may(Some((other, Role::Creator))), Err(Refusal::Hidden));
            assert_eq!(may(None), Err(Refusal::Hidden));
            assert!(!visibility.is_listed());
        }
        assert_eq!(terms(owner, Visibility::Unlisted).check(&audience(None, None, 0)), Ok(()));
        assert!(!Visibility::Unlisted.is_listed());
    }

    #[test]
    fn a_window_is_open_from_its_first_instant_and_shut_at_its_last() {
        let owner = UserId::new();
        let terms = Terms {
            window: Window { from: Some(FROM), until: Some(UNTIL) },
            ..terms(owner, Visibility::Public)
        };
        let at = |now| terms.check(&audience(None, None, now));
        assert_eq!(at(99), Err(Refusal::NotYet { from: FROM }));
        assert_eq!((at(100), at(199)), (Ok(()), Ok(())));
        assert_eq!(at(200), Err(Refusal::Ended { until: UNTIL }));
        assert_eq!(
            terms.check(&audience(Some((owner, Role::Creator)), None, 999)),
            Ok(()),
            "its owner still may"
        );
    }

    #[test]
    fn countries_shut_out_everybody_else_and_everybody_unknown() {
        let owner = UserId::new();
        let countries = ["AT".parse().unwrap(), "DE".parse().unwrap()];
        let terms = Terms { countries: Some(&countries), ..terms(owner, Visibility::Unlisted) };
        assert_eq!(terms.check(&audience(None, Some("DE"), 0)), Ok(()));
        assert_eq!(terms.check(&audience(None, Some("FR"), 0)), Err(Refusal::Elsewhere));
        assert_eq!(terms.check(&audience(None, None, 0)), Err(Refusal::Elsewhere));
        assert_eq!(
            terms.check(&audience(Some((UserId::new(), Role::Creator)), None, 0)),
            Err(Refusal::Elsewhere)
        );
        assert_eq!(terms.check(&audience(Some((UserId::new(), Role::Admin)), None, 0)), Ok(()));
        // What must not be known to exist is hidden first.
        let hidden = Terms { visibility: Visibility::Private, ..terms };
        assert_eq!(hidden.check(&audience(None, Some("FR"), 0)), Err(Refusal::Hidden));
    }

    #[test]
    fn words_round_trip() {
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(*role));
        }
        assert!("root".parse::<Role>().is_err());
        assert!(Role::Admin > Role::Creator && Role::Creator > Role::Viewer);
    }

    #[test]
    fn terms_that_shut_somebody_out_are_told_from_others() {
        let now = Micros(FROM.0 + 1);
        let country = |code: &str| code.parse::<Country>().unwrap();
        let (de, both) = ([country("DE")], [country("DE"), country("FR")]);
        let open = Terms {
            owner: UserId::new(),
            visibility: Visibility::Public,
            window: Window::default(),
            countries: None,
        };
        let until = |micros: i64| Window { from: None, until: Some(Micros(micros)) };
        let cases = [
            (open, open, false),
            (open, Terms { visibility: Visibility::Unlisted, ..open }, false),
            (open, Terms { visibility: Visibility::Private, ..open }, true),
            (Terms { visibility: Visibility::Private, ..open }, open, false),
            (open, Terms { countries: Some(&de), ..open }, true),
            (Terms { countries: Some(&de), ..open }, Terms { countries: Some(&both), ..open }, false),
            (Terms { countries: Some(&both), ..open }, Terms { countries: Some(&de), ..open }, true),
            (Terms { countries: Some(&de), ..open }, open, false),
            (open, Terms { window: until(now.0 + 5), ..open }, true),
            (Terms { window: until(now.0 + 5), ..open }, Terms { window: until(now.0 + 9), ..open }, false),
            (open, Terms { window: Window { from: Some(Micros(now.0 + 1)), until: None }, ..open }, true),
            (open, Terms { window: Window { from: Some(FROM), until: None }, ..open }, false),
        ];
        for (n, (before, after, shut)) in cases.into_iter().enumerate() {
            assert_eq!(after.shut_out(&before, now), shut, "case {n}");
        }
    }
}
