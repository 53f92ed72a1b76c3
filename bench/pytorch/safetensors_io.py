"""Read and write safetensors files with NumPy alone (format: https://huggingface.co/docs/safetensors)."""

import json
import struct

import numpy

TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}
NAMES = {numpy.dtype(code): name for name, code in TYPES.items()}


def read_safetensors(path):
    """(tensors by name, metadata); raises ValueError when the file is not what its header says."""
    with open(path, "rb") as file:
        content = file.read()
    if len(content) < 8:
        raise ValueError(f"{path}: {len(content)} bytes, too short for a safetensors header")
    (header_length,) = struct.unpack_from("<Q", content)
    if 8 + header_length > len(content):
        raise ValueError(f"{path}: the header claims {header_length} bytes, the file has {len(content)}")
    header = json.loads(content[8 : 8 + header_length])
    metadata = header.pop("__metadata__", {})
    body = memoryview(content)[8 + header_length :]
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] not in TYPES:
            raise ValueError(f"{path}: {name} has type {entry['dtype']}; readable are {sorted(TYPES)}")
        begin, end = entry["data_offsets"]
        flat = numpy.frombuffer(body[begin:end], TYPES[entry["dtype"]])
        if flat.size != int(numpy.prod(entry["shape"], dtype=numpy.int64)):
            raise ValueError(f"{path}: {name} has shape {entry['shape']} but {flat.size} values")
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def write_safetensors(path, tensors, metadata=None):
    """Tensors in their given order; metadata is a dictionary of strings."""
    header = {"__metadata__": metadata} if metadata else {}
    parts, offset = [], 0
    for name, tensor in tensors.items():
        tensor = numpy.asarray(tensor)
        tensor = numpy.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<")).reshape(tensor.shape)
        parts.append(tensor.tobytes())
        offsets = [offset, offset + len(parts[-1])]
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        offset = offsets[1]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for part in parts:
            file.write(part)
