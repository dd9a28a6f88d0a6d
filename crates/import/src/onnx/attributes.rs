//! Attributes of a node, by name and type.

use super::proto::{AttributeProto, NodeProto, TensorProto, attribute_type};
use diagnostic::{Code, Diagnostic, Result};

/// The attributes of one node.
pub(crate) struct Attributes<'a>(&'a [AttributeProto]);

impl<'a> Attributes<'a> {
    pub(crate) fn of(node: &'a NodeProto) -> Self {
        Self(&node.attribute)
    }

    fn find(&self, name: &str, kind: i32) -> Result<Option<&'a AttributeProto>> {
        let Some(attribute) = self.0.iter().find(|a| a.name == name) else { return Ok(None) };
        // Files of the first version of the format do not state the type.
        if attribute.r#type == kind || attribute.r#type == attribute_type::UNDEFINED {
            Ok(Some(attribute))
        } else {
            let text = format!("the attribute `{name}` has the wrong type");
            Err(Diagnostic::new(Code::ModelInvalid, text))
        }
    }

    pub(crate) fn int(&self, name: &str) -> Result<Option<i64>> {
        Ok(self.find(name, attribute_type::INT)?.map(|a| a.i))
    }

    /// A float that is neither NaN nor infinite.
    pub(crate) fn float(&self, name: &str) -> Result<Option<f32>> {
        let value = self.find(name, attribute_type::FLOAT)?.map(|a| a.f);
        match value {
            Some(v) if !v.is_finite() => Err(Diagnostic::new(
                Code::ModelNotFinite,
                format!("the attribute `{name}` is NaN or infinite"),
            )),
            _ => Ok(value),
        }
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<String>> {
        let found = self.find(name, attribute_type::STRING)?;
        Ok(found.map(|a| String::from_utf8_lossy(&a.s).into_owned()))
    }

    pub(crate) fn ints(&self, name: &str) -> Result<Option<Vec<i64>>> {
        Ok(self.find(name, attribute_type::INTS)?.map(|a| a.ints.clone()))
    }

    pub(crate) fn floats(&self, name: &str) -> Result<Option<Vec<f32>>> {
        Ok(self.find(name, attribute_type::FLOATS)?.map(|a| a.floats.clone()))
    }

    pub(crate) fn tensor(&self, name: &str) -> Result<Option<&'a TensorProto>> {
        Ok(self.find(name, attribute_type::TENSOR)?.and_then(|a| a.t.as_ref()))
    }
}
