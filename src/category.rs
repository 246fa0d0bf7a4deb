//! What kind of failure an error is: the one word that decides retry, condition, metric label and
//! Kubernetes event.

/// The kind of a failure, shared by the errors of all modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// A manifest or definition is wrong; only an edit helps.
    Configuration,
    /// Credentials were refused or are missing; a person must act.
    Authentication,
    /// The account lacks a right.
    Permission,
    /// The provider asked to be left alone for a while.
    RateLimited,
    /// The provider failed or answered nonsense; trying again may help.
    Provider,
    /// The callback failed or refused.
    Callback,
    /// A fault of Pollen's own or of what it runs on.
    Internal,
}

impl Category {
    /// The word as it stands in metric labels and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::RateLimited => "rate_limited",
            Self::Provider => "provider",
            Self::Callback => "callback",
            Self::Internal => "internal",
        }
    }
}

/// Something in a manifest, a Secret or a definition that only an edit can mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct ConfigurationError {
    /// Path of the field, such as `spec.url`.
    pub field: String,
    /// What is wrong and what to write instead; never a secret.
    pub message: String,
    /// Which kind of thing is wrong.
    pub subject: Subject,
}

/// What a configuration error is about: programs are told in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// The field's own value.
    #[default]
    Field,
    /// The connector that the field names is in no catalog.
    Connector,
    /// The Secret that the field names, or an entry of it, is missing.
    Secret,
    /// The address in the field is refused by the address guard.
    Address,
}

impl ConfigurationError {
    /// An error at `field`.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            subject: Subject::Field,
        }
    }

    /// The same, about something else than the field's own value.
    #[must_use]
    pub fn about(self, subject: Subject) -> Self {
        Self { subject, ..self }
    }
}
