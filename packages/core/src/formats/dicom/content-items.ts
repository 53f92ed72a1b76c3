// Builds the content items of a structured report (PS3.3, C.17.3): each is a value with a name and its relation to its parent item.
import { type Code, codeItem } from "./derived-object.js";
import { decimalString, type Item } from "./encode.js";

/** An item's relation to its parent item (PS3.3, C.17.3.2.4). */
type Relationship = "CONTAINS" | "HAS OBS CONTEXT" | "HAS CONCEPT MOD" | "HAS ACQ CONTEXT";

/** Items under a heading; with the template's number if they follow a template of PS3.16. */
export function container(name: Code, content: readonly Item[], templateId?: string): Item {
  return { RelationshipType: "CONTAINS", ...rootContainer(name, content, templateId) };
}

/** The container of the whole document. */
export function rootContainer(name: Code, content: readonly Item[], templateId?: string) {
  return {
    ValueType: "CONTAINER",
    ConceptNameCodeSequence: [codeItem(name)],
    ContinuityOfContent: "SEPARATE",
    ...(templateId === undefined
      ? {}
      : { ContentTemplateSequence: [{ MappingResource: "DCMR", TemplateIdentifier: templateId }] }),
    ContentSequence: content,
  };
}

export function codeContent(
  relationship: Relationship,
  name: Code,
  value: Code,
  modifiers: readonly Item[] = [],
): Item {
  return {
    ...named(relationship, "CODE", name),
    ConceptCodeSequence: [codeItem(value)],
    ...below(modifiers),
  };
}

export function textContent(relationship: Relationship, name: Code, value: string): Item {
  return { ...named(relationship, "TEXT", name), TextValue: value };
}

export function uidContent(relationship: Relationship, name: Code, value: string): Item {
  return { ...named(relationship, "UIDREF", name), UID: value };
}

/** A measured number, rounded to 16 characters, in a unit of UCUM. */
export function numberContent(name: Code, value: number, unit: Code, modifiers: readonly Item[] = []): Item {
  return {
    ...named("CONTAINS", "NUM", name),
    MeasuredValueSequence: [
      { NumericValue: decimalString(value), MeasurementUnitsCodeSequence: [codeItem(unit)] },
    ],
    ...below(modifiers),
  };
}

/** An image, or a part of an image; without a name in a list of images. */
export function imageContent(name: Code | null, reference: Item): Item {
  return {
    RelationshipType: "CONTAINS",
    ValueType: "IMAGE",
    ...(name === null ? {} : { ConceptNameCodeSequence: [codeItem(name)] }),
    ReferencedSOPSequence: [reference],
  };
}

function named(relationship: Relationship, valueType: string, name: Code): Item {
  return {
    RelationshipType: relationship,
    ValueType: valueType,
    ConceptNameCodeSequence: [codeItem(name)],
  };
}

function below(content: readonly Item[]): Item {
  return content.length === 0 ? {} : { ContentSequence: content };
}
