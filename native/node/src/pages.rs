//! Pages: tensors that die with a JavaScript object. One weak reference a page; polling it after a collection frees in
//! the same job, which finalizers do not.

use crate::js::check;
use millrace_cpu::{Device, Ticketed};
use millrace_program::Error;
use napi::sys::*;
use std::ptr::null_mut;

/// Polls that a page survives before only a full poll asks it again.
const YOUNG_POLLS: u8 = 2;
/// Pages asked in one handle scope.
const SCOPE: usize = 1024;

struct Page {
    token: napi_ref,
    tensors: Vec<Ticketed>,
    age: u8,
}

#[derive(Default)]
pub struct Pages {
    young: Vec<Page>,
    old: Vec<Page>,
    /// Empty lists for reuse.
    spare: Vec<Vec<Ticketed>>,
}

impl Pages {
    /// # Safety
    /// On the thread of `env`, with live values.
    pub unsafe fn add(
        &mut self,
        env: napi_env,
        token: napi_value,
        tensors: impl Iterator<Item = Ticketed>,
    ) -> Result<(), Error> {
        let mut reference = null_mut();
        // SAFETY: the caller's promise.
        check(unsafe { napi_create_reference(env, token, 0, &mut reference) })
            .map_err(|_| Error::argument("the token of a page is not an object"))?;
        let mut list = self.spare.pop().unwrap_or_default();
        list.extend(tensors);
        self.young.push(Page { token: reference, tensors: list, age: 0 });
        Ok(())
    }

    /// Frees the tensors of collected pages and returns their number.
    ///
    /// # Safety
    /// On the thread of `env`.
    pub unsafe fn poll(&mut self, env: napi_env, full: bool, device: &mut Device) -> Result<usize, Error> {
        let mut freed = 0;
        let mut young = std::mem::take(&mut self.young);
        // SAFETY: the caller's promise.
        freed += unsafe { self.sweep(env, &mut young, device) }?;
        for page in young {
            if page.age < YOUNG_POLLS { self.young.push(page) } else { self.old.push(page) }
        }
        if full {
            let mut old = std::mem::take(&mut self.old);
            // SAFETY: the caller's promise.
            freed += unsafe { self.sweep(env, &mut old, device) }?;
            self.old = old;
        }
        Ok(freed)
    }

    unsafe fn sweep(&mut self, env: napi_env, pages: &mut Vec<Page>, device: &mut Device) -> Result<usize, Error> {
        let mut freed = 0;
        let mut at = 0;
        let mut asked = 0;
        let mut scope = null_mut();
        // SAFETY: on the thread of `env`; scopes are closed in order.
        unsafe {
            check(napi_open_handle_scope(env, &mut scope))?;
            while let Some(page) = pages.get_mut(at) {
                let mut token = null_mut();
                napi_get_reference_value(env, page.token, &mut token);
                if token.is_null() {
                    let mut dead = pages.swap_remove(at);
                    napi_delete_reference(env, dead.token);
                    freed += dead.tensors.drain(..).filter(|&tensor| device.free_ticketed(tensor)).count();
                    self.spare.push(dead.tensors);
                } else {
                    page.age = page.age.saturating_add(1);
                    at += 1;
                }
                asked += 1;
                if asked % SCOPE == 0 {
                    napi_close_handle_scope(env, scope);
                    check(napi_open_handle_scope(env, &mut scope))?;
                }
            }
            napi_close_handle_scope(env, scope);
        }
        Ok(freed)
    }

    /// Forgets all pages.
    ///
    /// # Safety
    /// On the thread of `env`.
    pub unsafe fn clear(&mut self, env: napi_env) {
        for page in self.young.drain(..).chain(self.old.drain(..)) {
            // SAFETY: made by `add`, deleted once.
            unsafe { napi_delete_reference(env, page.token) };
        }
        self.spare.clear();
    }
}
