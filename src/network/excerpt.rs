//! What may be shown of a remote host's text.

use secrecy::SecretString;

use super::redaction::redacted;

/// Characters shown of a remote host's text.
const SHOWN: usize = 200;

/// The beginning of a text that a remote host sent, fit for a condition: one line of at most 200
/// characters, in which none of `secrets` appears, even where the host repeated them in some encoding.
#[must_use]
pub fn excerpt(text: &[u8], secrets: &[SecretString]) -> String {
    one_line(&redacted(&String::from_utf8_lossy(text), secrets))
}

/// A text on one line of at most 200 characters. What holds a secret goes through [`excerpt`].
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => line.get(..end).unwrap_or_default().to_owned() + "…",
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line() {
        let text = format!("  no\r\n\tsuch\u{0} user {}", "x".repeat(500));
        let shown = excerpt(text.as_bytes(), &[]);
        assert!(shown.starts_with("no such user xxx") && shown.ends_with('…'));
        assert_eq!(shown.chars().count(), SHOWN + 1);
    }

    #[test]
    fn an_excerpt_hides_secrets_that_the_host_repeats() {
        let secrets = ["s3cr3t", "s3cr3t-and-more", "", "line\n"].map(SecretString::from);
        let shown = excerpt(b"bad key s3cr3t-and-more, or s3cr3t in line", &secrets);
        assert_eq!(shown, "bad key [redacted], or [redacted] in [redacted]");
    }

    /// An error page that repeats the request shows it as it was encoded, and then as pages are.
    #[rstest]
    #[case::form("s3%2Bcr%2F3t%3D%26%22+x")]
    #[case::percent("s3%2bcr/3t%3D%26%22%20x")]
    #[case::percent_twice("s3%252Bcr%252F3t%253D%2526%2522%2520x")]
    #[case::json(r#"s3+cr\/3t=&\" x"#)]
    #[case::json_in_json(r#"s3+cr/3t=&\\\" x"#)]
    #[case::json_by_numbers(r"s3+cr/3t\u003d\u0026\u0022 x")]
    #[case::html("s3+cr/3t=&amp;&quot; x")]
    #[case::html_by_numbers("s3&#43;cr&#x2F;3t=&#38;&#34; x")]
    #[case::json_in_html(r"s3+cr/3t=&amp;\&quot; x")]
    fn an_excerpt_hides_secrets_in_every_encoding(#[case] shown: &str) {
        let secrets = ["s3+cr/3t=&\" x".into()];
        let shown = excerpt(format!("got {shown}, sorry").as_bytes(), &secrets);
        assert_eq!(shown, "got [redacted], sorry");
    }

    #[test]
    fn an_excerpt_hides_a_backslash_and_letters_beyond_ascii_as_json_and_forms_write_them() {
        let secrets = ["pä\\ß€\u{1f600}".into()];
        for shown in [
            "p%C3%A4%5C%C3%9F%E2%82%AC%F0%9F%98%80",
            r"p\u00e4\\\u00DF\u20ac\ud83d\ude00",
            "pä\\ß€\u{1f600}",
        ] {
            assert_eq!(excerpt(shown.as_bytes(), &secrets), "[redacted]", "{shown}");
        }
    }

    #[test]
    fn an_excerpt_leaves_nothing_of_secrets_that_overlap() {
        let secrets = ["abc", "cde"].map(SecretString::from);
        assert_eq!(excerpt(b"xabcdex", &secrets), "x[redacted]x");
    }

    /// What a stranger sends must not cost more than it is worth.
    #[rstest]
    #[case::backslashes(b'\\')]
    #[case::ampersands(b'&')]
    #[case::percents(b'%')]
    fn an_excerpt_of_one_long_run_is_made_in_no_time(#[case] letter: u8) {
        let secrets: Vec<_> = (0..50).map(|n| format!("\\s3cr3t&{n}").into()).collect();
        let shown = excerpt(&vec![letter; 64 * 1024], &secrets);
        assert_eq!(shown.chars().count(), SHOWN + 1);
    }

    #[test]
    fn an_excerpt_hides_a_secret_that_ends_behind_what_is_looked_at() {
        let text = format!("{}s3cr3t-and-more", " ".repeat(4_090));
        assert_eq!(
            excerpt(text.as_bytes(), &["s3cr3t-and-more".into()]),
            "[redacted]"
        );
    }

    #[test]
    fn an_excerpt_survives_text_that_is_not_utf8() {
        assert_eq!(excerpt(b"caf\xe9 closed", &[]), "caf\u{fffd} closed");
    }
}
