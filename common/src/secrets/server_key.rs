//! The one secret of a deployment, and what is derived from it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Purpose, Token};

/// The deployment's own secret: mailed tokens, cursors and second factors are derived from it, so that neither database nor
/// queue holds them. While it is changed there are two: what is made is made with the present one, and what was made with the one
/// before still counts (docs/adr/0028-two-server-keys.md).
#[derive(Clone)]
pub struct ServerKey {
    present: SecretString,
    before: Option<SecretString>,
    /// Of mailed tokens that somebody has to be able to use: see [`ServerKey::fitting`].
    hashes: Vec<Vec<u8>>,
}

impl ServerKey {
    /// At least 32 characters, else the key could be guessed.
    ///
    /// # Errors
    /// A sentence that says so.
    pub fn new(key: SecretString) -> Result<Self, &'static str> {
        if key.expose_secret().trim().len() < 32 {
            Err("the server key must have at least 32 characters")
        } else {
            Ok(Self { present: key, before: None, hashes: Vec::new() })
        }
    }

    /// The same, and the one that was in its place.
    #[must_use]
    pub fn after(self, before: Self) -> Self {
        Self { before: Some(before.present), ..self }
    }

    /// Whether there is one of before.
    #[must_use]
    pub fn has_before(&self) -> bool {
        self.before.is_some()
    }

    /// Each by itself, the present one first.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        let each = std::iter::once(&self.present).chain(&self.before).cloned();
        each.map(|present| Self { present, before: None, hashes: Vec::new() })
    }

    /// The same for tokens of which the database holds these hashes already: those are derived with whichever of the two fits.
    #[must_use]
    pub(crate) fn fitting(&self, hashes: Vec<Vec<u8>>) -> Self {
        Self { hashes, ..self.clone() }
    }

    /// The token that a mail carries for one row. The worker derives it again when it renders.
    #[must_use]
    pub fn mailed_token(&self, purpose: Purpose, row: Uuid) -> Token {
        let parts: &[&[u8]] = &[b"mailed", purpose.as_str().as_bytes(), row.as_bytes()];
        let present = Token(self.mac(parts));
        let known = |token: &Token| self.hashes.iter().any(|hash| hash.as_slice() == token.hash().as_bytes());
        if self.hashes.is_empty() || known(&present) {
            return present;
        }
        let before = self.before.as_ref().map(|key| Token(finish(feed(key, parts))));
        before.filter(known).unwrap_or(present)
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

    /// Whether `tag` begins the tag of `message` in `context`, made with either key; takes the same time wherever they differ.
    #[must_use]
    pub(crate) fn authenticates(&self, context: &[u8], message: &[u8], tag: &[u8]) -> bool {
        let parts: &[&[u8]] = &[b"tag", context, message];
        let mut keys = std::iter::once(&self.present).chain(&self.before);
        keys.any(|key| feed(key, parts).verify_truncated_left(tag).is_ok())
    }

    /// 256 bits that only the present key and these parts give. The first part is the use, which no other use may share.
    #[must_use]
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        finish(feed(&self.present, parts))
    }
}

fn feed(key: &SecretString, parts: &[&[u8]]) -> Hmac<Sha256> {
    // A key as long as a block of SHA-256 cannot be refused.
    let mut block = [0; 64];
    block[..32].copy_from_slice(&Sha256::digest(key.expose_secret().trim()));
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        // The length keeps ("ab", "c") apart from ("a", "bc").
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

fn finish(mac: Hmac<Sha256>) -> [u8; 32] {
    mac.finalize().into_bytes().into()
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::key, *};

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

    #[test]
    fn a_mailed_token_is_derived_with_the_key_whose_hash_is_known() {
        let (row, other) = (Uuid::now_v7(), Uuid::now_v7());
        let token = |key: &ServerKey, row| key.mailed_token(Purpose::Delivery, row);
        let (old, new, both) = (key("a"), key("b"), key("b").after(key("a")));
        let hash = |token: Token| token.hash().as_bytes().to_vec();
        assert_eq!(token(&both, row), token(&new, row), "what is made is made with the present one");
        let known = both.fitting(vec![hash(token(&old, row)), hash(token(&new, other))]);
        assert_eq!(token(&known, row), token(&old, row));
        assert_eq!(token(&known, other), token(&new, other));
        let forgotten = new.fitting(vec![hash(token(&old, row))]);
        assert_eq!(token(&forgotten, row), token(&new, row));
    }

    #[test]
    fn a_tag_of_the_key_before_counts_until_that_key_is_forgotten() {
        let tag = key("a").tag(b"list", b"position");
        let both = key("b").after(key("a"));
        assert!(both.authenticates(b"list", b"position", &tag));
        assert!(!both.authenticates(b"another", b"position", &tag));
        assert!(!key("b").authenticates(b"list", b"position", &tag));
        assert!(key("b").authenticates(b"list", b"position", &both.tag(b"list", b"position")));
        assert_eq!(both.each().count(), 2);
    }
}
