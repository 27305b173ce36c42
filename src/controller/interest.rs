//! What the observer follows for a resource: told before and after a plan, and taken back when it is gone.
//!
//! It knows the accounts, the index and the memory, and nothing of what a plan decides.

use super::account::{self, Resolved};
use super::context::Context;
use crate::observer::{Account, Interest, ResourceKey, Source};

/// Before the first plan in this process: what the plan reads of ids is remembered only of those that
/// somebody follows.
pub fn first(ctx: &Context, uid: &str, resolved: &Resolved, interest: impl FnOnce() -> Interest) {
    if let Some(account) = &resolved.account
        && !ctx.memory.is_using(uid, &resolved.source)
    {
        account.watch(interest());
    }
}

/// After a decision: the observer learns what to follow, and credentials that nobody takes are let go.
pub fn publish(ctx: &Context, uid: &str, used: Option<(&Source, &Account)>, interest: Interest) {
    let former = ctx.memory.uses(uid, used.map(|(source, _)| source));
    if let Some(former) = former {
        for (found, account) in ctx.accounts.all() {
            if found == former {
                account.unwatch(uid);
            }
        }
        account::release_if_unused(ctx, &former);
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
