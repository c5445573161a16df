//! What a person may do: one word for a set of permissions.
//!
//! Enters: words of the settings. Leaves: roles, and what each allows. Never: knows who has which.

use super::Permission;

/// In their order: each may what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Settings, log rows, costs. No prompts and no answers.
    Viewer,
    /// The same with prompts and answers; each look is written down.
    PayloadViewer,
    /// Changes gateways, routes, keys and logs, and uses them.
    Operator,
    /// Everything, other people's sessions and all tokens included.
    Admin,
}

impl Role {
    pub const ALL: [(&'static str, Role); 4] = [
        ("viewer", Self::Viewer),
        ("payload_viewer", Self::PayloadViewer),
        ("operator", Self::Operator),
        ("admin", Self::Admin),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, each)| *each == self).map_or("", |(name, _)| name)
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(each, _)| *each == name).map(|(_, role)| *role)
    }

    pub fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Viewer => &[Permission::ReadMetadata, Permission::AnalyticsRead],
            Self::PayloadViewer => &[Permission::Read, Permission::AnalyticsRead],
            Self::Operator => &[
                Permission::Run,
                Permission::Write,
                Permission::SecretsWrite,
                Permission::AnalyticsRead,
                Permission::LogsEdit,
            ],
            Self::Admin => &[Permission::Admin],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_one_before_it_may() {
        for pair in Role::ALL.windows(2) {
            let [(_, lower), (name, upper)] = pair else { continue };
            let covers = |permission: &Permission| upper.permissions().iter().any(|each| each.implies(*permission));
            assert!(lower < upper && lower.permissions().iter().all(covers), "{name}");
            assert_eq!(Role::from_name(name), Some(*upper));
        }
        let sees_bodies = |role: Role| role.permissions().iter().any(|each| each.implies(Permission::Read));
        assert_eq!(Role::ALL.map(|(_, role)| sees_bodies(role)), [false, true, true, true]);
        assert_eq!(Role::Operator.name(), "operator");
    }
}
