//! What is wrong with a certificate, and who can mend it.

use std::error::Error;

use rustls::{AlertDescription, CertificateError};

/// Why TLS could not be agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsTrouble {
    /// The host's certificate names other hosts.
    OtherHost,
    /// The host's certificate leads to no authority that is believed here.
    UnknownAuthority,
    /// The host's certificate is over.
    Expired,
    /// The host's certificate begins later.
    NotYetValid,
    /// The host's certificate breaks the rules in another way.
    Unusable,
    /// The host refuses the certificate that it was shown.
    OursRefused,
    /// The host asks for a certificate, and was shown none.
    OursMissing,
    /// The host ended the connection before anything was asked. With TLS 1.3 it may have refused the
    /// certificate that it was shown, or missed one: its alert comes late, and is often lost.
    Dropped,
    /// The host does not speak TLS.
    NoTls,
}

impl TlsTrouble {
    /// What the causes of a failed request tell of.
    pub(super) fn of_causes<'a>(
        causes: impl Iterator<Item = &'a (dyn Error + 'static)> + Clone,
    ) -> Option<Self> {
        let tls = causes
            .clone()
            .find_map(|cause| cause.downcast_ref().and_then(Self::of_tls));
        let dropped = || {
            let mut words = causes.map(ToString::to_string);
            // Hyper has no kind of its own for it.
            let is_dropped = words.any(|words| words.contains("connection was not ready"));
            is_dropped.then_some(Self::Dropped)
        };
        tls.or_else(dropped)
    }

    const fn of_tls(error: &rustls::Error) -> Option<Self> {
        match error {
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::InvalidCertificate(why) => Some(Self::of_certificate(why)),
            rustls::Error::InvalidMessage(_) => Some(Self::NoTls),
            _ => None,
        }
    }

    /// The host's word on what it was shown.
    const fn of_alert(alert: AlertDescription) -> Option<Self> {
        match alert {
            // TLS 1.2 has no other word for it than the second.
            AlertDescription::CertificateRequired | AlertDescription::HandshakeFailure => {
                Some(Self::OursMissing)
            }
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateUnobtainable
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError => Some(Self::OursRefused),
            _ => None,
        }
    }

    const fn of_certificate(why: &CertificateError) -> Self {
        match why {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherHost
            }
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            _ => Self::Unusable,
        }
    }

    /// What is wrong with a host, as the end of a sentence that names it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::OtherHost => "its TLS certificate is for another host",
            Self::UnknownAuthority => {
                "its TLS certificate is signed by an authority that is not trusted here"
            }
            Self::Expired => "its TLS certificate has expired",
            Self::NotYetValid => "its TLS certificate is not valid yet",
            Self::Unusable => "its TLS certificate breaks the rules for certificates",
            Self::OursRefused => "it refuses the TLS certificate that Pollen shows",
            Self::OursMissing => {
                "it asks for a TLS certificate, or takes none that Pollen can offer"
            }
            Self::Dropped => {
                "it closed the connection before anything was asked, as a host does that is out of order, or wants \
                 a TLS certificate, or another one"
            }
            Self::NoTls => "it does not speak TLS",
        }
    }

    /// What to do, where the spec names the host at the field `url` and its settings at `tls`.
    #[must_use]
    pub fn advice(self, url: &str, tls: &str) -> String {
        match self {
            Self::OtherHost => format!(
                "write at {url} a host that the certificate names, or have one issued for this host"
            ),
            Self::UnknownAuthority => format!(
                "put the certificate of the authority that signed it into a Secret as ca.crt, and name the \
                 Secret at {tls}.caRef"
            ),
            Self::Expired => "have whoever runs the host renew it".to_owned(),
            Self::NotYetValid => {
                "compare the clocks of the host and of this machine, or wait until it is valid"
                    .to_owned()
            }
            Self::Unusable => "have whoever runs the host replace it".to_owned(),
            Self::OursRefused => format!(
                "renew tls.crt and tls.key in the Secret that {tls}.secretRef names, or have whoever runs the \
                 host accept their authority"
            ),
            Self::Dropped => format!(
                "see whether it works for others; if it wants a certificate, put one that it takes into a Secret as \
                 tls.crt and tls.key, and name the Secret at {tls}.secretRef"
            ),
            Self::OursMissing => format!(
                "ask whoever runs the host for one that it takes, put it into a Secret as tls.crt and tls.key, and name the \
                 Secret at {tls}.secretRef"
            ),
            Self::NoTls => {
                format!(
                    "write at {url} the port at which it speaks https, or http:// if it speaks that alone"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use rstest::rstest;
    use rustls::InvalidMessage;

    use super::*;

    fn of(error: &(dyn Error + 'static)) -> Option<TlsTrouble> {
        TlsTrouble::of_causes([error].into_iter())
    }

    #[rstest]
    #[case(AlertDescription::CertificateRequired, Some(TlsTrouble::OursMissing))]
    #[case(AlertDescription::HandshakeFailure, Some(TlsTrouble::OursMissing))]
    #[case(AlertDescription::CertificateExpired, Some(TlsTrouble::OursRefused))]
    #[case(AlertDescription::UnknownCA, Some(TlsTrouble::OursRefused))]
    #[case(AlertDescription::BadCertificate, Some(TlsTrouble::OursRefused))]
    #[case(AlertDescription::InternalError, None)]
    fn an_alert_is_the_hosts_word_on_what_it_was_shown(
        #[case] alert: AlertDescription,
        #[case] expected: Option<TlsTrouble>,
    ) {
        assert_eq!(of(&rustls::Error::AlertReceived(alert)), expected);
    }

    #[rstest]
    #[case(CertificateError::NotValidForName, TlsTrouble::OtherHost)]
    #[case(CertificateError::UnknownIssuer, TlsTrouble::UnknownAuthority)]
    #[case(CertificateError::Expired, TlsTrouble::Expired)]
    #[case(CertificateError::NotValidYet, TlsTrouble::NotYetValid)]
    #[case(CertificateError::BadSignature, TlsTrouble::Unusable)]
    fn a_certificate_that_is_refused_here_is_the_hosts(
        #[case] why: CertificateError,
        #[case] expected: TlsTrouble,
    ) {
        let error = rustls::Error::InvalidCertificate(why);
        assert_eq!(of(&error), Some(expected));
    }

    #[test]
    fn whoever_does_not_speak_tls_is_told_from_who_is_silent() {
        let garbage = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        assert_eq!(of(&garbage), Some(TlsTrouble::NoTls));
        let silent = io::Error::other("connection was not ready");
        assert_eq!(of(&silent), Some(TlsTrouble::Dropped));
        assert_eq!(of(&io::Error::other("Connection refused")), None);
    }

    #[rstest]
    #[case(TlsTrouble::OursMissing, "x.tls.secretRef")]
    #[case(TlsTrouble::OursRefused, "renew tls.crt")]
    #[case(TlsTrouble::UnknownAuthority, "at x.tls.caRef")]
    #[case(TlsTrouble::Expired, "renew it")]
    #[case(TlsTrouble::Unusable, "replace it")]
    #[case(TlsTrouble::NoTls, "write at x.url")]
    fn what_is_wrong_is_told_with_what_to_do(#[case] trouble: TlsTrouble, #[case] advice: &str) {
        let told = trouble.advice("x.url", "x.tls");
        assert!(told.contains(advice), "{told}");
    }
}
