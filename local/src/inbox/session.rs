//! The state of one SMTP conversation (RFC 5321), free of input and output.

/// The largest mail taken.
pub(super) const MAX_SIZE: usize = 10 * 1024 * 1024;

/// How many recipients one mail may have.
const MAX_RECIPIENTS: usize = 100;

/// Who a mail is from and to, as the conversation said (its headers may say otherwise).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) from: String,
    pub(super) to: Vec<String>,
}

/// What the server does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Answers and goes on.
    Reply(String),
    /// Answers and takes the mail itself.
    TakeMail(String),
    /// Answers and hangs up.
    HangUp(String),
}

/// A conversation under way.
#[derive(Debug, Default)]
pub(super) struct Session {
    greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl Session {
    /// Takes a command line, without its line end.
    pub(super) fn command(&mut self, line: &str) -> Turn {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.greet(format!(
                "250-taskbell inbox\r\n250-SIZE {MAX_SIZE}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                 250-PIPELINING\r\n250 ENHANCEDSTATUSCODES"
            )),
            "HELO" => self.greet("250 taskbell inbox".into()),
            "MAIL" => self.mail(rest),
            "RCPT" => self.recipient(rest),
            "DATA" => self.data(),
            "RSET" => {
                self.reset();
                reply("250 2.0.0 forgotten")
            }
            "NOOP" => reply("250 2.0.0 nothing done"),
            "VRFY" => reply("252 2.0.0 send it and see"),
            "QUIT" => Turn::HangUp("221 2.0.0 goodbye".into()),
            _ => reply("500 5.5.1 no such command"),
        }
    }

    /// The envelope of the mail that was just taken; the next one begins anew.
    pub(super) fn finish(&mut self) -> Envelope {
        let from = self.from.take().unwrap_or_default();
        Envelope { from, to: std::mem::take(&mut self.to) }
    }

    fn greet(&mut self, greeting: String) -> Turn {
        self.greeted = true;
        self.reset();
        Turn::Reply(greeting)
    }

    fn mail(&mut self, rest: &str) -> Turn {
        if !self.greeted {
            return reply("503 5.5.1 say EHLO first");
        }
        if self.from.is_some() {
            return reply("503 5.5.1 one mail at a time");
        }
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return reply("501 5.5.4 say MAIL FROM:<address>");
        };
        for parameter in parameters.split_whitespace().map(str::to_ascii_uppercase) {
            match parameter.split_once('=').unwrap_or((&parameter, "")) {
                ("SIZE", size) => match size.parse::<usize>() {
                    Ok(size) if size <= MAX_SIZE => {}
                    Ok(_) => return reply("552 5.3.4 too large"),
                    Err(_) => return reply("501 5.5.4 the size is not a number"),
                },
                ("BODY", "7BIT" | "8BITMIME") | ("SMTPUTF8", "") => {}
                _ => return reply("555 5.5.4 no such parameter"),
            }
        }
        self.from = Some(from.to_owned());
        reply("250 2.1.0 from there")
    }

    fn recipient(&mut self, rest: &str) -> Turn {
        if self.from.is_none() {
            return reply("503 5.5.1 say MAIL FROM first");
        }
        match path(rest, "TO:") {
            Some((to, "")) if to.contains('@') => {
                if self.to.len() >= MAX_RECIPIENTS {
                    return reply("452 4.5.3 too many recipients");
                }
                self.to.push(to.to_owned());
                reply("250 2.1.5 to there")
            }
            Some((_, "")) | None => reply("501 5.1.3 say RCPT TO:<address>"),
            Some(_) => reply("555 5.5.4 no such parameter"),
        }
    }

    fn data(&self) -> Turn {
        if self.to.is_empty() {
            return reply("503 5.5.1 say RCPT TO first");
        }
        Turn::TakeMail("354 end with a dot on a line of its own".into())
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }
}

fn reply(line: &str) -> Turn {
    Turn::Reply(line.into())
}

/// The address and the parameters of `FROM:<address> parameters`. Addresses with control characters
/// are refused: they end up in a header of the stored mail.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (given, rest) = rest.split_at_checked(keyword.len())?;
    let (address, parameters) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    let is_good = given.eq_ignore_ascii_case(keyword) && !address.contains(char::is_control);
    is_good.then_some((address, parameters.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(turn: &Turn) -> &str {
        let (Turn::Reply(line) | Turn::TakeMail(line) | Turn::HangUp(line)) = turn;
        &line[..3]
    }

    fn codes(lines: &[&str]) -> Vec<String> {
        let mut session = Session::default();
        lines.iter().map(|line| code(&session.command(line)).to_owned()).collect()
    }

    #[test]
    fn commands_out_of_order_are_refused() {
        let lines = ["MAIL FROM:<a@b.c>", "HELO me", "RCPT TO:<a@b.c>", "DATA", "MAIL FROM:<>", "MAIL FROM:<>", "DATA"];
        assert_eq!(codes(&lines), ["503", "250", "503", "503", "250", "503", "503"]);
        assert_eq!(codes(&["EHLO me", "MAIL FROM:<>", "RSET", "RCPT TO:<a@b.c>", "NOOP", "QUIT"])[3], "503");
    }

    #[test]
    fn parameters_are_those_that_were_offered() {
        let from = |parameters: &str| codes(&["EHLO me", &format!("MAIL FROM:<a@b.c> {parameters}")])[1].clone();
        assert_eq!(from("SIZE=1000 BODY=8BITMIME SMTPUTF8"), "250");
        assert_eq!(from("SIZE=99999999"), "552");
        assert_eq!(from("SIZE=many"), "501");
        assert_eq!(from("AUTH=<>"), "555");
    }

    #[test]
    fn an_envelope_is_what_the_conversation_said() {
        let mut session = Session::default();
        for line in ["ehlo me", "mail from: <a@b.c>", "rcpt to:<d@e.f>", "RCPT TO:<g@h.i>"] {
            assert_eq!(code(&session.command(line)), "250");
        }
        assert_eq!(code(&session.command("DATA")), "354");
        let envelope = session.finish();
        assert_eq!(envelope, Envelope { from: "a@b.c".into(), to: vec!["d@e.f".into(), "g@h.i".into()] });
        assert_eq!(code(&session.command("DATA")), "503", "the next mail begins anew");
    }

    #[test]
    fn an_address_with_a_control_character_is_refused() {
        assert_eq!(codes(&["EHLO me", "MAIL FROM:<a\rX: y@b.c>"])[1], "501");
        assert_eq!(codes(&["EHLO me", "MAIL FROM:<>", "RCPT TO:<nobody>"])[2], "501");
    }
}
