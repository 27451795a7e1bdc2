//! What gst-inspect shows is compared with a committed file: a change to the element's face is never an accident.
//!
//! `UPDATE_INTROSPECTION=1 cargo test --features test-harness introspection` writes the file anew.

use std::fmt::Write;

use gst::{glib, prelude::*};

use crate::listener::init;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/introspection/whispernpu.txt");

#[test]
fn the_face_is_as_committed() {
    init();
    let face = face().unwrap();
    if std::env::var_os("UPDATE_INTROSPECTION").is_some() {
        std::fs::write(GOLDEN, &face).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    assert_eq!(face, golden, "set UPDATE_INTROSPECTION=1 if this change is meant");
}

fn face() -> Result<String, std::fmt::Error> {
    let factory = gst::ElementFactory::find("whispernpu").unwrap();
    let element = factory.create().build().unwrap();
    let mut text = String::new();
    for key in ["long-name", "klass", "description", "author"] {
        writeln!(text, "{key}: {}", factory.metadata(key).unwrap())?;
    }
    writeln!(text, "rank: {}", i32::from(factory.rank()))?;
    let plugin = factory.plugin().unwrap();
    writeln!(text, "plugin: {}, {}, {}", plugin.plugin_name(), plugin.license(), plugin.description())?;
    for template in factory.static_pad_templates() {
        writeln!(text, "\npad {} ({:?}, {:?})", template.name_template(), template.direction(), template.presence())?;
        for structure in template.caps().iter() {
            writeln!(text, "  {}", structure.name())?;
            for (field, value) in structure.iter() {
                writeln!(text, "    {field}: {}", value.serialize().unwrap())?;
            }
        }
    }
    for pspec in element.list_properties().iter().filter(|pspec| pspec.owner_type() == element.type_()) {
        property(&mut text, pspec)?;
    }
    Ok(text)
}

fn property(text: &mut String, pspec: &glib::ParamSpec) -> std::fmt::Result {
    let flags = pspec.flags();
    let mut rights = Vec::new();
    for (flag, name) in [
        (glib::ParamFlags::READABLE, "readable"),
        (glib::ParamFlags::WRITABLE, "writable"),
        (gst::PARAM_FLAG_MUTABLE_READY, "changeable in NULL and READY"),
        (gst::PARAM_FLAG_MUTABLE_PAUSED, "changeable up to PAUSED"),
        (gst::PARAM_FLAG_MUTABLE_PLAYING, "changeable up to PLAYING"),
    ] {
        if flags.contains(flag) {
            rights.push(name);
        }
    }
    writeln!(text, "\nproperty {} ({}): {}", pspec.name(), pspec.value_type(), rights.join(", "))?;
    if flags.contains(glib::ParamFlags::WRITABLE) {
        let default = pspec.default_value();
        match (glib::EnumValue::from_value(default), glib::FlagsValue::from_value(default)) {
            (Some((_, value)), _) => writeln!(text, "  default: {}", value.nick())?,
            (_, Some((_, values))) => writeln!(text, "  default: {}", nicks(&values))?,
            _ if default.get::<Option<&str>>() == Ok(None) => writeln!(text, "  default: NULL")?,
            _ => writeln!(text, "  default: {}", default.serialize().unwrap())?,
        }
    }
    if let Some(range) = pspec.downcast_ref::<glib::ParamSpecUInt>() {
        writeln!(text, "  range: {} to {}", range.minimum(), range.maximum())?;
    }
    if let Some(range) = pspec.downcast_ref::<glib::ParamSpecFloat>() {
        writeln!(text, "  range: {} to {}", range.minimum(), range.maximum())?;
    }
    if let Some(class) = glib::EnumClass::with_type(pspec.value_type()) {
        for value in class.values() {
            writeln!(text, "  {} = {}: {}", value.value(), value.nick(), value.name())?;
        }
    }
    if let Some(class) = glib::FlagsClass::with_type(pspec.value_type()) {
        for value in class.values() {
            writeln!(text, "  {} = {}: {}", value.value(), value.nick(), value.name())?;
        }
    }
    writeln!(text, "  {}", pspec.blurb().unwrap())
}

/// Flags as they are written in a pipeline's text.
pub fn nicks(values: &[&glib::FlagsValue]) -> String {
    values.iter().map(|value| value.nick()).collect::<Vec<_>>().join("+")
}
