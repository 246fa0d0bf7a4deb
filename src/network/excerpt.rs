//! What may be shown of a remote host's text.

use secrecy::{ExposeSecret, SecretString};

/// Characters shown of a remote host's text.
const SHOWN: usize = 200;

/// The beginning of a text that a remote host sent, fit for a condition: one line of at most 200
/// characters, in which none of `secrets` appears, even where the host repeated them.
#[must_use]
pub fn excerpt(text: &[u8], secrets: &[SecretString]) -> String {
    let mut text = String::from_utf8_lossy(text).into_owned();
    let mut secrets: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    // A longer secret may contain a shorter one; replaced later it would survive in part.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets
        .into_iter()
        .map(str::trim)
        .filter(|secret| !secret.is_empty())
    {
        text = text.replace(secret, "[redacted]");
    }
    one_line(&text)
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

    #[test]
    fn an_excerpt_survives_text_that_is_not_utf8() {
        assert_eq!(excerpt(b"caf\xe9 closed", &[]), "caf\u{fffd} closed");
    }
}
