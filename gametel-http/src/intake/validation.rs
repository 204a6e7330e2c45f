use gametel_core::catalog::{EventDefinition, FieldError};
use gametel_core::event::EventDraft;

use crate::config::{OnInvalid, Validation};

/// Fills an event's defaults and checks its fields. Gives what is wrong with an event that is to be
/// written as a dead letter.
///
/// `misfit` is what was found wrong already, while the fields were put together.
///
/// # Errors
///
/// What is wrong with an event that is to be refused.
pub(crate) fn check_fields(
    definition: &EventDefinition,
    draft: &mut EventDraft,
    misfit: Option<FieldError>,
    validation: Validation,
) -> Result<Option<FieldError>, FieldError> {
    definition.fill_defaults(draft.fields_mut());
    let misfit = misfit.or_else(|| definition.check(draft.fields()).err());
    match (misfit, validation.on_invalid) {
        (Some(misfit), OnInvalid::Reject) => Err(misfit),
        (misfit, _) => Ok(misfit),
    }
}
