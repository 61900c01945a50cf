//! Tables: pages of chosen columns, the way in which big lists are read.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use serde_json::Value;
use uuid::Uuid;

use crate::kit::json::Json;
use crate::qlik_onprem::call::{Call, member};
use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::entities::Kind;
use crate::qlik_onprem::lists::{Order, Wanted, sample, shown};
use crate::qlik_onprem::problem::{Answer, Problem};

/// A column that is wanted.
struct Column {
    name: String,
    content: Content,
}

enum Content {
    /// The value at a dotted path.
    Property(Vec<String>),
    /// A table of the rows of an array.
    List(String, Vec<Column>),
    /// What the caller may do to the row.
    Privileges,
}

/// `POST …/table` as an answer.
pub(crate) fn answer(call: &Call, wanted: Wanted, kind: Kind, body: &Value) -> Answer {
    let columns = columns(member(body, "columns"))?;
    for column in &columns {
        if let Content::Property(path) = &column.content
            && sample(&call.world, kind).get(&path[0]).is_none()
        {
            return Err(Problem::invalid(format!("Invalid column definition: {}", path.join("."))));
        }
    }
    let wanted = match sort(call, &columns)? {
        Some(order) => wanted.ordered(vec![order]),
        None => wanted,
    };
    let skip = call.query.number("skip")?.unwrap_or_default() as usize;
    let take = call.query.number("take")?.map_or(usize::MAX, |take| take as usize);
    let sequence = wanted.sequence(&call.world, &call.caller);
    let from = skip.min(sequence.len());
    let page = &sequence[from..from + take.min(sequence.len() - from)];

    let mut out = Json::with_capacity(page.len() * 256 + 256);
    out.raw(&format!(r#"{{"schemaPath":"Table","id":"{}""#, Uuid::new_v4()));
    names(&columns, &mut out);
    out.key("rows");
    out.open(b'[');
    let store = call.world.store();
    let privileges = columns.iter().any(|column| matches!(column.content, Content::Privileges));
    for (kind, place) in page {
        let row = shown(&call.world, &store, &call.caller, *kind, *place, privileges);
        cells(&columns, &row, &mut out);
    }
    drop(store);
    out.close(b']');
    out.close(b'}');
    Arc::clone(&call.world.journal).wrote_rows(page.len() as u64);
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json")], out.into_bytes()).into_response())
}

/// By which column; its name is one of the table's own, not a property's.
fn sort(call: &Call, columns: &[Column]) -> Result<Option<Order>, Problem> {
    let Some(name) = call.query.get("sortcolumn") else { return Ok(None) };
    let column = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    match column.map(|column| &column.content) {
        Some(Content::Property(path)) => {
            let descending =
                call.query.get("orderascending").is_some_and(|flag| flag.eq_ignore_ascii_case("false"));
            Ok(Some(Order { path: path.clone(), descending }))
        }
        _ => Err(Problem::invalid(format!("Invalid sort column: {name}"))),
    }
}

fn columns(definitions: &Value) -> Result<Vec<Column>, Problem> {
    let definitions = definitions.as_array().filter(|columns| !columns.is_empty());
    let definitions = definitions.ok_or_else(|| Problem::invalid("A table needs columns"))?;
    definitions.iter().map(column).collect()
}

fn column(definition: &Value) -> Result<Column, Problem> {
    let text = |key: &str| member(definition, key).as_str().unwrap_or_default();
    let path = text("definition");
    if text("name").is_empty() {
        return Err(Problem::invalid("A column needs a name"));
    }
    let sort = member(definition, "columnType");
    let sort = sort.as_str().map_or_else(|| sort.to_string(), str::to_ascii_lowercase);
    let content = match sort.as_str() {
        "property" | "1" if !path.is_empty() => {
            Content::Property(path.split('.').map(str::to_owned).collect())
        }
        "list" | "3" => Content::List(path.to_owned(), columns(member(definition, "list"))?),
        "privileges" | "4" => Content::Privileges,
        _ => return Err(Problem::invalid(format!("Invalid column type: {sort}"))),
    };
    Ok(Column { name: text("name").to_owned(), content })
}

fn names(columns: &[Column], out: &mut Json) {
    out.key("columnNames");
    out.open(b'[');
    columns.iter().for_each(|column| out.string(&column.name));
    out.close(b']');
}

fn cells(columns: &[Column], row: &Row, out: &mut Json) {
    out.open(b'[');
    for column in columns {
        match &column.content {
            Content::Privileges => row.get("privileges").unwrap_or(&Cell::Null).write(out),
            Content::Property(path) => at(row, path).unwrap_or(&Cell::Null).write(out),
            Content::List(definition, inner) => {
                // The definition is the type of the rows: `tag` for `tags`.
                let plural = format!("{definition}s");
                let own = row.get(definition).is_some();
                let rows = row.list(if own { definition } else { &plural });
                out.open(b'{');
                names(inner, out);
                out.key("rows");
                out.open(b'[');
                for cell in rows {
                    if let Cell::Row(row) = cell {
                        cells(inner, row, out);
                    }
                }
                out.close(b']');
                out.close(b'}');
            }
        }
    }
    out.close(b']');
}

fn at<'a>(row: &'a Row, path: &[String]) -> Option<&'a Cell> {
    let (key, rest) = path.split_first()?;
    match row.get(key)? {
        Cell::Row(row) if !rest.is_empty() => at(row, rest),
        cell if rest.is_empty() => Some(cell),
        _ => None,
    }
}
