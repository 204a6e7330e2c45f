use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use crate::catalog::FieldType;

use super::shape::{Member, Result, Shape, ShapeSerializer, key_text};

/// A sequence: its elements are gone through, so that what does not serialize is found, and not
/// kept.
#[derive(Debug)]
pub(super) struct WholeShape;

impl WholeShape {
    fn element<T: Serialize + ?Sized>(value: &T) -> Result<()> {
        value.serialize(ShapeSerializer).map(drop)
    }
}

impl SerializeSeq for WholeShape {
    type Ok = Shape;
    type Error = serde_json::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        Self::element(value)
    }

    fn end(self) -> Result<Shape> {
        Ok(Shape::Value(FieldType::Json))
    }
}

impl SerializeTuple for WholeShape {
    type Ok = Shape;
    type Error = serde_json::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        Self::element(value)
    }

    fn end(self) -> Result<Shape> {
        Ok(Shape::Value(FieldType::Json))
    }
}

impl SerializeTupleStruct for WholeShape {
    type Ok = Shape;
    type Error = serde_json::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        Self::element(value)
    }

    fn end(self) -> Result<Shape> {
        Ok(Shape::Value(FieldType::Json))
    }
}

/// A variant with more than one value in it.
#[derive(Debug)]
pub(super) struct VariantShape(&'static str);

impl VariantShape {
    pub(super) fn new(variant: &'static str) -> Self {
        Self(variant)
    }
}

impl SerializeTupleVariant for VariantShape {
    type Ok = Shape;
    type Error = serde_json::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        WholeShape::element(value)
    }

    fn end(self) -> Result<Shape> {
        Ok(Shape::variant(self.0, Shape::Value(FieldType::Json)))
    }
}

impl SerializeStructVariant for VariantShape {
    type Ok = Shape;
    type Error = serde_json::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<()> {
        WholeShape::element(value)
    }

    fn end(self) -> Result<Shape> {
        Ok(Shape::variant(self.0, Shape::Value(FieldType::Json)))
    }
}

/// A struct or a map, which is what a struct with flattened fields comes as.
#[derive(Debug, Default)]
pub(super) struct ObjectShape {
    members: Vec<Member>,
    /// The key whose value comes next.
    key: Option<String>,
}

impl SerializeStruct for ObjectShape {
    type Ok = Shape;
    type Error = serde_json::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        let shape = value.serialize(ShapeSerializer)?;
        self.members.push(Member { name: name.to_owned(), shape });
        Ok(())
    }

    fn skip_field(&mut self, name: &'static str) -> Result<()> {
        self.members.push(Member { name: name.to_owned(), shape: Shape::Null });
        Ok(())
    }

    fn end(self) -> Result<Shape> {
        Ok(Shape::Object(self.members))
    }
}

impl SerializeMap for ObjectShape {
    type Ok = Shape;
    type Error = serde_json::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = Some(key_text(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let shape = value.serialize(ShapeSerializer)?;
        // Serde gives a value only after its key.
        let name = self.key.take().unwrap_or_default();
        self.members.push(Member { name, shape });
        Ok(())
    }

    fn end(self) -> Result<Shape> {
        Ok(Shape::Object(self.members))
    }
}
