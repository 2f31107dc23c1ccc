//! Who a request belongs to, and what that allows.

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{Role, Scope, TokenId, UserId, Viewer};

use crate::Problem;

/// How the caller proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The browser's session cookie. Unsafe methods need a same-origin request.
    Cookie,
    /// `Authorization: Bearer`, an API token.
    Bearer,
}

/// The signed-in caller of a request. Put into the request's extensions by `app::accounts`.
///
/// As an extractor it answers 401 when nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub user: UserId,
    pub role: Role,
    /// `None` for a browser session: everything that the role may.
    pub scopes: Option<Vec<Scope>>,
    pub token: TokenId,
    pub via: Via,
}

/// The caller, or `None` for a visitor without an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybePrincipal(pub Option<Principal>);

impl Principal {
    /// Who is asking, for the visibility rules. The role counts only as far as the token's scopes reach: without the
    /// scope `admin` an administrator's token sees what its owner owns.
    pub fn viewer(&self) -> Viewer {
        Viewer { user: self.user, role: self.effective_role() }
    }

    /// The account's role, capped by the token's scopes.
    pub fn effective_role(&self) -> Role {
        match &self.scopes {
            Some(scopes) if !scopes.contains(&Scope::Admin) => self.role.min(Role::Creator),
            _ => self.role,
        }
    }

    pub fn has_scope(&self, scope: Scope) -> bool {
        self.scopes.as_ref().is_none_or(|have| have.contains(&scope) || have.contains(&Scope::Admin))
    }

    /// 403 unless the token reaches as far as `scope`. Browser sessions always do.
    pub fn require_scope(&self, scope: Scope) -> Result<(), Problem> {
        if self.has_scope(scope) {
            Ok(())
        } else {
            Err(Problem::forbidden(format!("This API token lacks the scope `{scope}`.")))
        }
    }

    /// 403 unless the account has at least `role`. Administration also needs the scope `admin`.
    pub fn require_role(&self, role: Role) -> Result<(), Problem> {
        if role == Role::Admin {
            self.require_scope(Scope::Admin)?;
        }
        if self.role >= role {
            Ok(())
        } else {
            Err(Problem::forbidden(format!("This needs an account with the role `{role}` or above.")))
        }
    }

    /// 403 unless this is a browser session: passwords, sessions and tokens are managed by people only.
    pub fn require_session(&self) -> Result<(), Problem> {
        match self.via {
            Via::Cookie => Ok(()),
            Via::Bearer => {
                Err(Problem::forbidden("API tokens cannot manage the account; sign in with a browser."))
            }
        }
    }
}

impl MaybePrincipal {
    /// For the visibility rules. A token without the scope `read` sees what a visitor sees.
    pub fn viewer(&self) -> Option<Viewer> {
        self.0.as_ref().filter(|p| p.has_scope(Scope::Read)).map(Principal::viewer)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorized)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybePrincipal {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Principal>().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(role: Role, scopes: Option<Vec<Scope>>) -> Principal {
        Principal { user: UserId::new(), role, scopes, token: TokenId::new(), via: Via::Bearer }
    }

    #[test]
    fn a_token_never_reaches_beyond_its_scopes_or_its_owner() {
        let reading = principal(Role::Admin, Some(vec![Scope::Read]));
        assert!(reading.require_scope(Scope::Read).is_ok());
        assert!(reading.require_scope(Scope::Upload).is_err());
        assert!(reading.require_role(Role::Admin).is_err());
        assert_eq!(reading.viewer().role, Role::Creator, "no administrator's view without the scope");
        let boasting = principal(Role::Viewer, Some(vec![Scope::Admin]));
        assert!(boasting.require_role(Role::Admin).is_err());
        assert!(principal(Role::Admin, None).require_role(Role::Admin).is_ok());
        let uploading = principal(Role::Creator, Some(vec![Scope::Upload]));
        assert!(MaybePrincipal(Some(uploading)).viewer().is_none());
    }
}
