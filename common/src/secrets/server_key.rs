//! The one secret of a deployment, and what is derived from it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Purpose, Token};

/// The deployment's own secret: mailed tokens, cursors and second factors are derived from it, so that neither database nor
/// queue holds them.
#[derive(Clone)]
pub struct ServerKey(SecretString);

impl ServerKey {
    /// At least 32 characters, else the key could be guessed.
    ///
    /// # Errors
    /// A sentence that says so.
    pub fn new(key: SecretString) -> Result<Self, &'static str> {
        if key.expose_secret().trim().len() < 32 {
            Err("the server key must have at least 32 characters")
        } else {
            Ok(Self(key))
        }
    }

    /// The token that a mail carries for one row. The worker derives it again when it renders.
    #[must_use]
    pub fn mailed_token(&self, purpose: Purpose, row: Uuid) -> Token {
        Token(self.mac(&[b"mailed", purpose.as_str().as_bytes(), row.as_bytes()]))
    }

    /// A name for `text` that tells nobody what it names: e-mail and network addresses are counted under it. Plain hashes
    /// would not do, since all addresses there are can be hashed; this one needs the key.
    #[must_use]
    pub fn blind(&self, context: &str, text: &str) -> [u8; 32] {
        self.mac(&[b"blind", context.as_bytes(), text.as_bytes()])
    }

    /// Authenticates `message` within `context`; a tag of one context is worthless in another.
    #[must_use]
    pub(crate) fn tag(&self, context: &[u8], message: &[u8]) -> [u8; 32] {
        self.mac(&[b"tag", context, message])
    }

    /// Whether `tag` begins the tag of `message` in `context`; takes the same time wherever they differ.
    #[must_use]
    pub(crate) fn authenticates(&self, context: &[u8], message: &[u8], tag: &[u8]) -> bool {
        self.feed(&[b"tag", context, message]).verify_truncated_left(tag).is_ok()
    }

    /// 256 bits that only this key and these parts give. The first part is the use, which no other use may share.
    #[must_use]
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.feed(parts).finalize().into_bytes().into()
    }

    fn feed(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // A key as long as a block of SHA-256 cannot be refused.
        let mut key = [0; 64];
        key[..32].copy_from_slice(&Sha256::digest(self.0.expose_secret().trim()));
        let mut mac = Hmac::<Sha256>::new(&key.into());
        for part in parts {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::key;

    #[test]
    fn a_blinded_text_depends_on_the_key_the_context_and_the_text() {
        let name = key("a").blind("email", "ada@example.org");
        assert_eq!(name, key("a").blind("email", "ada@example.org"));
        assert_ne!(name, key("b").blind("email", "ada@example.org"));
        assert_ne!(name, key("a").blind("address", "ada@example.org"));
        assert_ne!(name, key("a").blind("email", "bob@example.org"));
        assert_ne!(key("a").blind("ab", "c"), key("a").blind("a", "bc"));
        assert_ne!(name, key("a").tag(b"email", b"ada@example.org"), "uses are apart");
    }
}
