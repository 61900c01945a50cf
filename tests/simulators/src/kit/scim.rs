//! The filter language: the part of SCIM that the simulated systems accept. Values are compared as times where both
//! sides are times, else as texts without regard to case for `eq`, `ne` and `co`.

use crate::kit::clock;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// One comparison.
    Term {
        /// Attribute as written.
        attribute: String,
        /// Operator.
        operator: Operator,
        /// Value without quotes.
        value: String,
    },
}

/// The operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

impl Filter {
    /// Parses a filter whose attributes are among `allowed`.
    pub(crate) fn parse(text: &str, allowed: &[&str]) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, allowed };
        let filter = parser.or()?;
        match parser.peek() {
            None => Ok(filter),
            Some(token) => Err(format!("unexpected «{token}»")),
        }
    }

    /// Does a row match? `read` gives the values of an attribute (several for lists).
    pub(crate) fn matches(&self, read: &dyn Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::And(left, right) => left.matches(read) && right.matches(read),
            Self::Or(left, right) => left.matches(read) || right.matches(read),
            Self::Term { attribute, operator, value } => {
                let found = read(attribute);
                match operator {
                    Operator::Ne => !found.iter().any(|one| compare(one, Operator::Eq, value)),
                    operator => found.iter().any(|one| compare(one, *operator, value)),
                }
            }
        }
    }
}

fn compare(found: &str, operator: Operator, wanted: &str) -> bool {
    let ordering = match (clock::parse_ms(found), clock::parse_ms(wanted)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => found.to_lowercase().cmp(&wanted.to_lowercase()),
    };
    match operator {
        Operator::Eq => ordering.is_eq(),
        Operator::Ne => ordering.is_ne(),
        Operator::Gt => ordering.is_gt(),
        Operator::Ge => ordering.is_ge(),
        Operator::Lt => ordering.is_lt(),
        Operator::Le => ordering.is_le(),
        Operator::Co => found.to_lowercase().contains(&wanted.to_lowercase()),
        Operator::Sw => found.to_lowercase().starts_with(&wanted.to_lowercase()),
    }
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '"' => quoted_length(rest)?,
            _ => rest.find(|c: char| c.is_whitespace() || "()\"".contains(c)).unwrap_or(rest.len()),
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn quoted_length(text: &str) -> Result<usize, String> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok(at + 1),
            _ => {}
        }
    }
    Err("a quote is not closed".to_owned())
}

struct Parser<'a> {
    tokens: Vec<String>,
    at: usize,
    allowed: &'a [&'a str],
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Result<String, String> {
        let token = self.tokens.get(self.at).cloned().ok_or("the filter ends early")?;
        self.at += 1;
        Ok(token)
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.peek().is_some_and(|token| token.eq_ignore_ascii_case("or")) {
            self.at += 1;
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.term()?;
        while self.peek().is_some_and(|token| token.eq_ignore_ascii_case("and")) {
            self.at += 1;
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Filter, String> {
        if self.peek() == Some("(") {
            self.at += 1;
            let inner = self.or()?;
            return if self.next()? == ")" { Ok(inner) } else { Err("a bracket is not closed".to_owned()) };
        }
        let attribute = self.next()?;
        if !self.allowed.contains(&attribute.as_str()) {
            return Err(format!("the attribute «{attribute}» cannot be filtered"));
        }
        let operator = operator(&self.next()?)?;
        let value = value(&self.next()?)?;
        Ok(Filter::Term { attribute, operator, value })
    }
}

fn operator(token: &str) -> Result<Operator, String> {
    Ok(match token.to_ascii_lowercase().as_str() {
        "eq" => Operator::Eq,
        "ne" => Operator::Ne,
        "co" => Operator::Co,
        "sw" => Operator::Sw,
        "gt" => Operator::Gt,
        "ge" => Operator::Ge,
        "lt" => Operator::Lt,
        "le" => Operator::Le,
        _ => return Err(format!("unknown operator «{token}»")),
    })
}

fn value(token: &str) -> Result<String, String> {
    if token.starts_with('"') {
        return serde_json::from_str(token).map_err(|error| error.to_string());
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(filter: &str) -> Result<bool, String> {
        let filter = Filter::parse(filter, &["name", "status", "updatedAt"])?;
        Ok(filter.matches(&|attribute| match attribute {
            "name" => vec!["Ada Lovelace".to_owned()],
            "status" => vec!["active".to_owned()],
            _ => vec!["2026-11-01T00:00:00.000Z".to_owned()],
        }))
    }

    #[test]
    fn terms_and_brackets() {
        assert_eq!(matches(r#"name eq "ada lovelace""#), Ok(true));
        assert_eq!(matches(r#"name co "love" and (status eq active or status eq "invited")"#), Ok(true));
        assert_eq!(matches(r#"status ne "active""#), Ok(false));
        assert_eq!(matches(r#"updatedAt gt "2026-10-31T23:59:59+00:00""#), Ok(true));
    }

    #[test]
    fn refusals() {
        assert!(matches(r#"email eq "x""#).is_err());
        assert!(matches(r#"name like "x""#).is_err());
        assert!(matches(r#"name eq "x"#).is_err());
        assert!(matches(r#"name eq"#).is_err());
    }
}
