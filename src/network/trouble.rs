//! What is wrong with a certificate, and who can mend it.

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

/// What shows in the causes of an error, the surest first: an alert is the host's word on what it was
/// shown, and its name may be part of what is said of the host's own certificate.
const SIGNS: [(&str, TlsTrouble); 17] = [
    ("fatal alert: CertificateRequired", TlsTrouble::OursMissing),
    // TLS 1.2 has no other word for it.
    ("fatal alert: HandshakeFailure", TlsTrouble::OursMissing),
    ("fatal alert: Certificate", TlsTrouble::OursRefused),
    ("fatal alert: BadCertificate", TlsTrouble::OursRefused),
    ("fatal alert: UnknownCA", TlsTrouble::OursRefused),
    (
        "fatal alert: UnsupportedCertificate",
        TlsTrouble::OursRefused,
    ),
    ("fatal alert: AccessDenied", TlsTrouble::OursRefused),
    ("fatal alert: DecryptError", TlsTrouble::OursRefused),
    ("not valid for name", TlsTrouble::OtherHost),
    ("NotValidForName", TlsTrouble::OtherHost),
    ("UnknownIssuer", TlsTrouble::UnknownAuthority),
    ("certificate not valid yet", TlsTrouble::NotYetValid),
    ("certificate expired", TlsTrouble::Expired),
    ("certificate: Expired", TlsTrouble::Expired),
    ("invalid peer certificate", TlsTrouble::Unusable),
    ("corrupt message of type", TlsTrouble::NoTls),
    ("connection was not ready", TlsTrouble::Dropped),
];

impl TlsTrouble {
    /// What the causes of an error tell of.
    pub(super) fn read(causes: &[String]) -> Option<Self> {
        let shows = |sign: &str| causes.iter().any(|cause| cause.contains(sign));
        SIGNS
            .iter()
            .find(|(sign, _)| shows(sign))
            .map(|(_, trouble)| *trouble)
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
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "received fatal alert: CertificateRequired",
        TlsTrouble::OursMissing,
        "tls.secretRef"
    )]
    #[case(
        "received fatal alert: CertificateExpired",
        TlsTrouble::OursRefused,
        "renew tls.crt"
    )]
    #[case(
        "received fatal alert: UnknownCA",
        TlsTrouble::OursRefused,
        "accept their authority"
    )]
    #[case(
        "received fatal alert: BadCertificate",
        TlsTrouble::OursRefused,
        "renew tls.crt"
    )]
    #[case("connection was not ready", TlsTrouble::Dropped, "tls.secretRef")]
    #[case(
        "invalid peer certificate: certificate expired: verification time 2 (UNIX), but …",
        TlsTrouble::Expired,
        "renew it"
    )]
    #[case(
        "invalid peer certificate: UnknownIssuer",
        TlsTrouble::UnknownAuthority,
        "at x.tls.caRef"
    )]
    #[case(
        "invalid peer certificate: BadSignature",
        TlsTrouble::Unusable,
        "replace it"
    )]
    fn what_a_library_says_is_told_with_what_to_do(
        #[case] cause: &str,
        #[case] expected: TlsTrouble,
        #[case] advice: &str,
    ) {
        let trouble = TlsTrouble::read(&["client error".to_owned(), cause.to_owned()]);
        assert_eq!(trouble, Some(expected));
        let told = expected.advice("x.url", "x.tls");
        assert!(told.contains(advice), "{told}");
    }

    #[test]
    fn other_trouble_is_none_of_certificates() {
        assert_eq!(TlsTrouble::read(&["Connection refused".to_owned()]), None);
    }
}
