/// Shows control characters as escapes: an event's text is a stranger's, and must not steer the
/// terminal of whoever looks at it.
///
/// ```
/// use gametel_batch::display::printable;
///
/// assert_eq!(printable("it's\ta\u{1b}[2J"), r"it's\ta\u{1b}[2J");
/// ```
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
