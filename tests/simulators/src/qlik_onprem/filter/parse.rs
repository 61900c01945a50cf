//! Reading a filter: tokens, precedence, and whether what is compared can be compared so.

use uuid::Uuid;

use crate::qlik_onprem::cell::{Cell, Row, is_time};
use crate::qlik_onprem::entities::enum_number;
use crate::qlik_onprem::filter::{Filter, Operator, Property, Term, Value, time};
use crate::qlik_onprem::problem::Problem;

/// Parses a filter for rows like the samples.
pub(super) fn filter(text: &str, samples: &[Row]) -> Result<Filter, Problem> {
    let broken = || Problem::invalid(format!("Cannot parse the expression: {text}"));
    let mut parser = Parser { tokens: tokens(text).ok_or_else(broken)?, at: 0, samples };
    if parser.tokens.windows(2).any(|pair| pair == [Token::Open, Token::Close]) {
        return Err(Problem::invalid("Invalid expression"));
    }
    let filter = parser.or().ok_or_else(broken)?;
    if parser.at == parser.tokens.len() { Ok(filter) } else { Err(broken()) }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Text(String),
    Word(String),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '\'' => quoted(rest)?,
            '"' => return None,
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "()'\"".contains(c)).unwrap_or(rest.len());
                (Token::Word(rest[..end].to_owned()), end)
            }
        };
        // Two texts without anything between them are a doubled quote, which is no escape here.
        if matches!((tokens.last(), &token), (Some(Token::Text(_)), Token::Text(_))) {
            return None;
        }
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

fn quoted(text: &str) -> Option<(Token, usize)> {
    let (mut inner, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            c if escaped => {
                inner.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '\'' => return Some((Token::Text(inner), at + 1)),
            c => inner.push(c),
        }
    }
    None
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    samples: &'a [Row],
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn word(&mut self) -> Option<String> {
        match self.next()? {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Takes a token if it is there.
    fn takes(&mut self, wanted: &str) -> bool {
        let here = match self.tokens.get(self.at) {
            Some(Token::Open) => wanted == "(",
            Some(Token::Close) => wanted == ")",
            Some(Token::Word(word)) => word.eq_ignore_ascii_case(wanted),
            _ => false,
        };
        self.at += usize::from(here);
        here
    }

    fn or(&mut self) -> Option<Filter> {
        let mut left = self.and()?;
        while self.takes("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Some(left)
    }

    fn and(&mut self) -> Option<Filter> {
        let mut left = self.one()?;
        while self.takes("and") {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Filter> {
        if self.takes("not") {
            return Some(Filter::Not(Box::new(self.one()?)));
        }
        if self.takes("(") {
            let inner = self.or()?;
            return self.takes(")").then_some(inner);
        }
        let name = self.word()?;
        let operator = operator(&self.word()?)?;
        let value = self.next()?;
        self.term(&name, operator, value).map(Filter::Term)
    }

    fn term(&self, name: &str, operator: Operator, token: Token) -> Option<Term> {
        if let Some(custom) = name.strip_prefix('@') {
            let value = value(token, "value")?;
            return Some(Term { property: Property::Custom(custom.to_owned()), operator, value });
        }
        let path: Vec<String> = name.split('.').map(str::to_owned).collect();
        let last = path.last()?.clone();
        let value = value(token, &last)?;
        let shapes: Vec<Shape> = self.samples.iter().filter_map(|row| shape(row, &path)).collect();
        let fine = shapes.iter().any(|shape| shape.allows(operator, &value, &last));
        fine.then_some(Term { property: Property::Path(path), operator, value })
    }
}

/// What a path leads to in a sample.
enum Shape {
    /// A value of this sort.
    Cell(Cell),
    /// The sample does not tell.
    Unknown,
}

impl Shape {
    fn allows(&self, operator: Operator, value: &Value, member: &str) -> bool {
        let is_part = matches!(operator, Operator::Sw | Operator::Ew | Operator::So);
        let is_equality = matches!(operator, Operator::Eq | Operator::Ne);
        if *value == Value::Null {
            return is_equality;
        }
        match self {
            _ if is_time(member) => !is_part && matches!(value, Value::Text { time: Some(_), .. }),
            Self::Cell(Cell::Text(_)) => is_part || is_equality,
            Self::Cell(Cell::Number(_)) => !is_part && matches!(value, Value::Number(_)),
            Self::Cell(Cell::Flag(_)) => is_equality && matches!(value, Value::Flag(_)),
            Self::Cell(Cell::Id(_)) => {
                is_equality && matches!(value, Value::Id(_) | Value::Text { id: Some(_), .. })
            }
            _ => true,
        }
    }
}

fn shape(row: &Row, path: &[String]) -> Option<Shape> {
    let (key, rest) = path.split_first()?;
    let mut cell = row.get(key)?;
    if let Cell::List(cells) = cell {
        match cells.first() {
            Some(first) => cell = first,
            None => return Some(Shape::Unknown),
        }
    }
    match cell {
        Cell::Null => Some(Shape::Unknown),
        Cell::Row(row) if !rest.is_empty() => shape(row, rest),
        cell if rest.is_empty() => Some(Shape::Cell(cell.clone())),
        _ => None,
    }
}

fn operator(word: &str) -> Option<Operator> {
    Some(match word.to_ascii_lowercase().as_str() {
        "eq" => Operator::Eq,
        "ne" => Operator::Ne,
        "gt" => Operator::Gt,
        "ge" => Operator::Ge,
        "lt" => Operator::Lt,
        "le" => Operator::Le,
        "sw" => Operator::Sw,
        "ew" => Operator::Ew,
        "so" => Operator::So,
        _ => return None,
    })
}

fn value(token: Token, member: &str) -> Option<Value> {
    Some(match token {
        Token::Text(text) => match enum_number(member, &text) {
            Some(number) => Value::Number(number),
            None => {
                let (time, id) = (time(&text), Uuid::try_parse(&text).ok());
                Value::Text { text: text.to_lowercase(), time, id }
            }
        },
        Token::Word(word) => bare(&word, member)?,
        Token::Open | Token::Close => return None,
    })
}

/// What needs no quotes: booleans, numbers, GUIDs, names of enumerations, `null`.
fn bare(word: &str, member: &str) -> Option<Value> {
    if let Ok(number) = word.parse() {
        return Some(Value::Number(number));
    }
    match word.to_ascii_lowercase().as_str() {
        "true" => return Some(Value::Flag(true)),
        "false" => return Some(Value::Flag(false)),
        "null" => return Some(Value::Null),
        _ => {}
    }
    let id = Uuid::try_parse(word).ok().map(Value::Id);
    id.or_else(|| enum_number(member, word).map(Value::Number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str) -> Option<bool> {
        let definition = |name: &'static str| Row::new().with("name", name);
        let value = |name, value: &'static str| {
            Cell::from(Row::new().with("value", value).with("definition", definition(name)))
        };
        let row = Row::new()
            .with("id", Uuid::from_u128(7))
            .with("name", r"Q1'25 \ Sales & co")
            .at("modifiedDate", 1_714_557_600_000)
            .with("published", true)
            .with("taskType", 2)
            .with("stream", Cell::Null)
            .with("owner", Row::new().with("userId", "ada"))
            .with("roles", vec!["RootAdmin".into(), "Other".into()])
            .with("customProperties", vec![value("Region", "North"), value("Unit", "South")]);
        let filter = Filter::parse(text, std::slice::from_ref(&row)).ok()?;
        Some(filter.matches(&row))
    }

    #[test]
    fn what_matches() {
        for (text, expected) in [
            ("name eq 'q1\\'25 \\\\ SALES & co'", true),
            ("name so 'sales' and name sw 'Q1' and name ew 'CO'", true),
            ("name ne 'other'", true),
            ("(published eq true)", true),
            ("published eq false or owner.userId eq 'ADA'", true),
            ("published eq false and name so 's' or published eq true", true),
            ("published eq false and (name so 's' or published eq true)", false),
            ("not published eq true", false),
            ("not (published eq false) and roles eq 'rootadmin'", true),
            ("roles ne 'RootAdmin'", false),
            ("modifiedDate ge '2024-05-01T10:00:00.000Z'", true),
            ("modifiedDate gt '2024-05-01 10:00:00'", false),
            ("MODIFIEDDATE gt '2024-05-01'", true),
            ("taskType eq 2 and taskType eq UserSync and taskType eq 'usersync' and taskType gt 1", true),
            ("id eq 00000000-0000-0000-0000-000000000007", true),
            ("id eq '00000000-0000-0000-0000-000000000007'", true),
            ("stream.name eq 'x'", false),
            ("stream eq null", true),
            ("owner.userId ne null", true),
            ("@region eq 'north'", true),
            ("@Region eq 'South'", false),
            ("customProperties.value eq 'South'", true),
            ("customProperties.definition.name sw 'Un'", true),
        ] {
            assert_eq!(matches(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "name eq 'Q1''25'",
            "name eq \"x\"",
            "name eq Sales",
            "name eq 'x",
            "name gt 'x'",
            "name like 'x'",
            "name eq",
            "name eq 'x' and",
            "name eq 'x' name eq 'y'",
            "(name eq 'x'",
            "()",
            "modifiedDate ge 'soon'",
            "modifiedDate sw '2024'",
            "published eq 'true'",
            "published gt true",
            "taskType eq Dance",
            "id eq 'x'",
            "nothing eq 1",
            "owner.nothing eq 'x'",
        ] {
            assert_eq!(matches(text), None, "{text}");
        }
        let empty = filter("()", &[]).map_err(|problem| problem.message);
        assert_eq!(empty, Err("Invalid expression".to_owned()));
    }
}
