//! By which attributes users may be aggregated.

use std::fmt;

/// An attribute of a user that many share. Names, addresses, numbers and managers are about one person, and have no
/// variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SegmentAttribute {
    /// `department`
    Department,
    /// `location`
    Location,
    /// `division`
    Division,
    /// `organization`
    Organization,
    /// `language`
    Language,
    /// `job_title`
    JobTitle,
    /// `custom_field_1`
    CustomField1,
    /// `custom_field_2`
    CustomField2,
    /// `custom_field_3`
    CustomField3,
    /// `custom_field_4`
    CustomField4,
}

/// Attributes that the API has and that are about one person.
const PERSONAL: [&str; 20] = [
    "id",
    "email",
    "first_name",
    "last_name",
    "name",
    "manager",
    "manager_name",
    "manager_email",
    "employee_number",
    "phone_number",
    "extension",
    "mobile_phone_number",
    "aliases",
    "comment",
    "provisioning_guid",
    "joined_on",
    "last_sign_in",
    "employee_start_date",
    "archived_at",
    "groups",
];

impl SegmentAttribute {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Department,
        Self::Location,
        Self::Division,
        Self::Organization,
        Self::Language,
        Self::JobTitle,
        Self::CustomField1,
        Self::CustomField2,
        Self::CustomField3,
        Self::CustomField4,
    ];

    /// The API's key, which is the `attribute` label as well.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Location => "location",
            Self::Division => "division",
            Self::Organization => "organization",
            Self::Language => "language",
            Self::JobTitle => "job_title",
            Self::CustomField1 => "custom_field_1",
            Self::CustomField2 => "custom_field_2",
            Self::CustomField3 => "custom_field_3",
            Self::CustomField4 => "custom_field_4",
        }
    }

    pub(super) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.as_str() == text)
    }

    pub(super) fn is_personal(text: &str) -> bool {
        PERSONAL.contains(&text)
    }
}

impl fmt::Display for SegmentAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_attribute_is_about_a_person() {
        for attribute in SegmentAttribute::ALL {
            assert_eq!(SegmentAttribute::of(attribute.as_str()), Some(attribute));
            assert!(!SegmentAttribute::is_personal(attribute.as_str()));
        }
        for personal in PERSONAL {
            assert_eq!(SegmentAttribute::of(personal), None);
        }
    }
}
