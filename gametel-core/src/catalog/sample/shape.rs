use serde::{Serialize, Serializer};

use crate::catalog::FieldType;
use crate::codec::string_value;

use super::compound::{ObjectShape, VariantShape, WholeShape};

/// What is known of a value once serde has been through it.
#[derive(Debug)]
pub(super) enum Shape {
    /// Null: nothing is known.
    Null,
    /// A value of this type.
    Value(FieldType),
    /// What was in a `Some`.
    Optional(Box<Self>),
    /// An object.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) shape: Shape,
}

impl Shape {
    /// The type of a field of this shape, if one can be told.
    pub(super) fn field_type(&self) -> Option<FieldType> {
        match self {
            Self::Null => None,
            Self::Value(field_type) => Some(*field_type),
            Self::Optional(shape) => shape.field_type(),
            Self::Object(_) => Some(FieldType::Json),
        }
    }

    /// A variant with content, as serde tags it: an object of one member.
    pub(super) fn variant(name: &str, content: Self) -> Self {
        Self::Object(vec![Member { name: name.to_owned(), shape: content }])
    }
}

/// Finds the shape of what is serialized, where [`serde_json`] would write it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShapeSerializer;

/// What serde_json would refuse is refused with its error.
pub(super) type Result<T> = std::result::Result<T, serde_json::Error>;

macro_rules! values {
    ($($method:ident($value:ty) is $field_type:ident;)*) => {$(
        fn $method(self, _: $value) -> Result<Shape> {
            Ok(Shape::Value(FieldType::$field_type))
        }
    )*};
}

impl Serializer for ShapeSerializer {
    type Ok = Shape;
    type Error = serde_json::Error;
    type SerializeSeq = WholeShape;
    type SerializeTuple = WholeShape;
    type SerializeTupleStruct = WholeShape;
    type SerializeTupleVariant = VariantShape;
    type SerializeMap = ObjectShape;
    type SerializeStruct = ObjectShape;
    type SerializeStructVariant = VariantShape;

    values! {
        serialize_bool(bool) is Boolean;
        serialize_i8(i8) is Int64;
        serialize_i16(i16) is Int64;
        serialize_i32(i32) is Int64;
        serialize_i64(i64) is Int64;
        serialize_i128(i128) is Int64;
        serialize_u8(u8) is Int64;
        serialize_u16(u16) is Int64;
        serialize_u32(u32) is Int64;
        serialize_u64(u64) is Int64;
        serialize_u128(u128) is Int64;
        serialize_f32(f32) is Float64;
        serialize_f64(f64) is Float64;
        serialize_char(char) is String;
        serialize_str(&str) is String;
        serialize_bytes(&[u8]) is Json;
    }

    fn serialize_none(self) -> Result<Shape> {
        Ok(Shape::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Shape> {
        Ok(Shape::Optional(Box::new(value.serialize(self)?)))
    }

    fn serialize_unit(self) -> Result<Shape> {
        Ok(Shape::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Shape> {
        Ok(Shape::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<Shape> {
        Ok(Shape::Value(FieldType::String))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Shape> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Shape> {
        Ok(Shape::variant(variant, value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<WholeShape> {
        Ok(WholeShape)
    }

    fn serialize_tuple(self, _: usize) -> Result<WholeShape> {
        Ok(WholeShape)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<WholeShape> {
        Ok(WholeShape)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<VariantShape> {
        Ok(VariantShape::new(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<ObjectShape> {
        Ok(ObjectShape::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<ObjectShape> {
        Ok(ObjectShape::default())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<VariantShape> {
        Ok(VariantShape::new(variant))
    }
}

/// The name that serde_json gives a member whose key is this, such as `7` for a number.
pub(super) fn key_text<T: Serialize + ?Sized>(key: &T) -> Result<String> {
    // A map of one member shows what becomes of a key, errors and all.
    let json = serde_json::to_string(&OneMember(key))?;
    let key = json.strip_prefix('{').and_then(|json| json.strip_suffix(":null}"));
    let key = key.and_then(string_value).expect("serde_json writes every key as a string");
    Ok(key.into_owned())
}

struct OneMember<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Serialize for OneMember<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, ())])
    }
}
