//! Entity tags as clients send them (RFC 9110, 8.8.3 and 13.1).

use rocket::Request;

/// What `If-Match` or `If-None-Match` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    /// Whatever there is.
    Any,
    /// These.
    These(Vec<Tag>),
}

/// The name of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Of bytes that mean the same, not of the same bytes.
    pub(crate) weak: bool,
    /// Without its quotes.
    pub(crate) name: String,
}

/// Not a list of entity tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl Tags {
    /// What a header names, if it is there. Several headers are one list.
    pub(crate) fn of(request: &Request<'_>, header: &str) -> Result<Option<Self>, Unreadable> {
        let lines: Vec<&str> = request.headers().get(header).collect();
        if lines.is_empty() { Ok(None) } else { Self::parse(&lines.join(",")).map(Some) }
    }

    /// Whether these are one of them, weak or strong: good enough for not sending them again.
    pub(crate) fn name(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|known| known.name == tag),
        }
    }

    pub(crate) fn parse(list: &str) -> Result<Self, Unreadable> {
        if list.trim() == "*" {
            return Ok(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = list.trim_start_matches(BETWEEN);
        while !rest.is_empty() {
            let (tag, after) = Tag::first(rest)?;
            tags.push(tag);
            let after = after.trim_start_matches([' ', '\t']);
            if !after.is_empty() && !after.starts_with(',') {
                return Err(Unreadable);
            }
            rest = after.trim_start_matches(BETWEEN);
        }
        if tags.is_empty() { Err(Unreadable) } else { Ok(Self::These(tags)) }
    }
}

/// Empty elements of a list are none.
const BETWEEN: [char; 3] = [' ', '\t', ','];

impl Tag {
    /// The tag with which a text begins, and what comes after it.
    fn first(text: &str) -> Result<(Self, &str), Unreadable> {
        let (weak, quoted) = text.strip_prefix("W/").map_or((false, text), |quoted| (true, quoted));
        let (name, after) = quoted.strip_prefix('"').and_then(|text| text.split_once('"')).ok_or(Unreadable)?;
        let fits = name.chars().all(|c| c > ' ' && c != '\u{7f}');
        if fits { Ok((Self { weak, name: name.to_owned() }, after)) } else { Err(Unreadable) }
    }

    /// The version with which it begins, if it names the bytes of one.
    pub(crate) fn version(&self) -> Option<i32> {
        let digits = self.name.split_once('-').map_or(self.name.as_str(), |(version, _)| version);
        // Written in one way only: a hash that happens to be a number has sixteen digits. What nobody has changed yet is of version 0.
        let one_way = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        if one_way && !self.weak { digits.parse().ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(list: &str) -> Vec<(bool, String)> {
        match Tags::parse(list).unwrap() {
            Tags::Any => panic!("{list} names all"),
            Tags::These(tags) => tags.into_iter().map(|tag| (tag.weak, tag.name)).collect(),
        }
    }

    #[test]
    fn a_list_of_tags_is_read() {
        assert_eq!(tags(r#""7-a1""#), [(false, "7-a1".into())]);
        assert_eq!(
            tags(r#" "a,b" ,, W/"c" , """#),
            [(false, "a,b".into()), (true, "c".into()), (false, String::new())]
        );
        assert_eq!(Tags::parse(" * "), Ok(Tags::Any));
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for nonsense in ["", " , ", "7", "\"7", "\"a\" \"b\"", "\"a b\"", "w/\"a\"", "*, \"a\"", "\"a\"x", "\"a\", *"] {
            assert_eq!(Tags::parse(nonsense), Err(Unreadable), "{nonsense}");
        }
    }

    #[test]
    fn a_tag_tells_its_version_if_it_is_strong_and_has_one() {
        let version = |tag: &str| Tag::first(tag).unwrap().0.version();
        assert_eq!([version("\"7\""), version("\"12-0a1b\""), version("\"0-0a1b\"")], [Some(7), Some(12), Some(0)]);
        for none in ["W/\"7\"", "\"\"", "\"07\"", "\"0000000000000007\"", "\"+7\"", "\"a7-1\"", "\"99999999999\""] {
            assert_eq!(version(none), None, "{none}");
        }
    }
}
