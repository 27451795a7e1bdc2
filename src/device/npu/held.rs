//! What a session holds of a program's values, on the host and on the array's side.

use std::collections::BTreeMap;

use super::columns::Columns;
use super::object::Form;
use super::storage::Storage;
use crate::device::Rows;

/// What is held of a value.
pub struct Held {
    pub columns: Columns,
    pub rows: Rows,
    /// Rows as the program counts them.
    pub host: Vec<f32>,
    /// Whether `host` is up to date.
    pub is_on_host: bool,
    /// The matrices on the array's side, and whether they are up to date.
    pub forms: BTreeMap<Form, (Storage, bool)>,
    /// Where sums with what is wide are put; then the two are exchanged.
    pub spare: Option<Storage>,
    /// Of a value that grows: what each lane keeps.
    pub kept: Vec<Storage>,
}

/// A lane's part of a memory.
pub struct Lane {
    pub key: Storage,
    pub value: Storage,
    pub rows: usize,
}

impl Held {
    pub fn set_host(&mut self) {
        self.is_on_host = true;
        self.forms.values_mut().for_each(|(_, is_valid)| *is_valid = false);
    }

    pub fn set_form(&mut self, form: Form) {
        self.is_on_host = false;
        self.forms.iter_mut().for_each(|(other, (_, is_valid))| *is_valid = *other == form);
    }

    /// Sums with what was wide are in the spare matrix, which changes places with it.
    pub fn set_sum(&mut self) {
        if let (Some(spare), Some((storage, _))) = (&mut self.spare, self.forms.get_mut(&Form::Wide)) {
            std::mem::swap(spare, storage);
        }
        self.set_form(Form::Wide);
    }

    /// What it holds is there in this form too.
    pub fn add_form(&mut self, form: Form) {
        if let Some((_, is_valid)) = self.forms.get_mut(&form) {
            *is_valid = true;
        }
    }

    pub fn is_valid(&self, form: Form) -> bool {
        self.forms.get(&form).is_some_and(|(_, is_valid)| *is_valid)
    }
}
