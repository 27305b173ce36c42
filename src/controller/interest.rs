//! What the observer follows for a resource: told before and after a plan, and taken back when it is gone.
//!
//! It knows the accounts, the index and the memory, and nothing of what a plan decides.

use super::account::{self, Resolved};
use super::context::Context;
use super::memory::Credentials;
use crate::observer::{Account, Interest, ResourceKey, Source};

/// Before the first plan with an account: what the plan reads of ids is remembered only of those that
/// somebody follows.
pub fn first(ctx: &Context, uid: &str, resolved: &Resolved, interest: impl FnOnce() -> Interest) {
    if let Some(account) = &resolved.account
        && !ctx.memory.is_following(uid, &account.following())
    {
        account.watch(interest());
    }
}

/// After a decision: the observer learns what to follow, and credentials that nobody takes are let go.
pub fn publish(ctx: &Context, uid: &str, used: Option<(&Source, &Account)>, interest: Interest) {
    let credentials = used.map(|(source, account)| Credentials {
        source: source.clone(),
        at: account.following(),
    });
    if let Some(former) = ctx.memory.uses(uid, credentials.clone()) {
        let here = credentials.map(|credentials| credentials.at);
        for account in ctx.accounts.distinct() {
            if Some(account.following()) != here {
                account.unwatch(uid);
            }
        }
        account::release_if_unused(ctx, &former.source);
    }
    if let Some((_, account)) = used {
        account.watch(interest);
    }
}

/// A resource is gone: nothing of it stays.
pub fn forget(ctx: &Context, key: &ResourceKey) {
    ctx.wake_all(&ctx.index.remove(key));
    let (namespace, name) = (&key.namespace, &key.name);
    ctx.memory.forget_echoes(key.kind.as_str(), namespace, name);
    if let Some(uid) = ctx.memory.forget(key) {
        forget_uid(ctx, &uid);
    }
}

/// The same for a uid whose name another object bears now.
pub fn forget_uid(ctx: &Context, uid: &str) {
    for (source, account) in ctx.accounts.all() {
        account.unwatch(uid);
        account::release_if_unused(ctx, &source);
    }
}
