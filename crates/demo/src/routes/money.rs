//! The balance, and sending some of it away: what a stolen cookie alone must not do.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{refuse, see_other};
use crate::{
    app::App,
    bank::TransferRefused,
    fields::Fields,
    negotiate::Wants,
    pages::{Transfer, page},
    problem::Problem,
    session::{Member, SteppedUp},
};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Order {
    to: String,
    amount: String,
}

/// `GET /transfer`
pub(super) async fn balance(State(app): State<App>, member: Member) -> Response {
    match member.wants {
        Wants::Page => form(&app, &member, StatusCode::OK, &Order::default(), None),
        Wants::Data => Json(json!({ "balance": balance_of(&app, &member) })).into_response(),
    }
}

/// `POST /transfer`
pub(super) async fn transfer(State(app): State<App>, member: SteppedUp, Fields(order): Fields<Order>) -> Response {
    let amount = order.amount.parse();
    let refused: TransferRefused = match amount.and_then(|amount| app.bank.transfer(member.name(), &order.to, amount)) {
        Ok(_) if member.wants == Wants::Page => return see_other("/transfer"),
        Ok(balance) => return Json(json!({ "balance": balance })).into_response(),
        Err(refused) => refused,
    };
    let text = refused.to_string();
    let problem = Problem::Invalid(&text);
    match member.wants {
        Wants::Page => form(&app, &member, problem.status(), &order, Some(&text)),
        Wants::Data => refuse(&member, problem),
    }
}

fn form(app: &App, member: &Member, status: StatusCode, order: &Order, message: Option<&str>) -> Response {
    let (frame, balance, elevated) = (member.frame(), balance_of(app, member), member.is_elevated());
    page(status, &Transfer { frame, balance, elevated, to: &order.to, amount: &order.amount, message })
}

/// Everybody who can sign in has a balance.
fn balance_of(app: &App, member: &Member) -> u64 {
    app.bank.balance(member.name()).unwrap_or_default()
}
