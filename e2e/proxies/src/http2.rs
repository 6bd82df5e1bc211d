//! One request in HTTP/2, as plainly as the protocol allows: nothing compressed, every field sent as it is given.

use std::io::{self, Read, Write};

/// Sends a request without a body, and waits for the end of its answer, which is not looked at.
///
/// # Errors
/// If the other side does not answer it.
pub(crate) fn ask(stream: &mut (impl Read + Write), fields: &[(&str, &str)]) -> io::Result<()> {
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[])?);
    let mut block = Vec::new();
    for (name, value) in fields {
        // A literal that nobody remembers, its name spelled out (RFC 7541, section 6.2.2).
        block.push(0);
        push(&mut block, name)?;
        push(&mut block, value)?;
    }
    sent.extend(frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)?);
    stream.write_all(&sent)?;
    stream.flush()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [high, middle, low, kind, flags, stream_number @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        stream.read_exact(&mut payload)?;
        let ours = u32::from_be_bytes(stream_number) == 1;
        match kind {
            SETTINGS if flags & ACK == 0 => {
                stream.write_all(&frame(SETTINGS, ACK, 0, &[])?)?;
                stream.flush()?;
            }
            DATA | HEADERS if ours && flags & END_STREAM != 0 => return Ok(()),
            RST_STREAM if ours => return Err(io::ErrorKind::ConnectionReset.into()),
            GOAWAY => return Err(io::ErrorKind::ConnectionAborted.into()),
            _ => {}
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?.to_be_bytes();
    let mut frame = length.get(1..).unwrap_or_default().to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    Ok(frame)
}

/// A string as it is. Its length has to fit into seven bits less one value.
fn push(block: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 127).ok_or(io::ErrorKind::InvalidInput)?;
    block.push(length);
    block.extend(text.as_bytes());
    Ok(())
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_begins_with_length_kind_flags_and_stream() {
        let frame = frame(HEADERS, END_STREAM | END_HEADERS, 1, b"abc").unwrap();
        assert_eq!(frame, [&[0, 0, 3, 1, 5, 0, 0, 0, 1][..], b"abc"].concat());
    }

    #[test]
    fn what_would_need_a_longer_length_is_refused() {
        let mut block = Vec::new();
        push(&mut block, "ab").unwrap();
        assert_eq!(block, [2, b'a', b'b']);
        assert!(push(&mut block, &"a".repeat(127)).is_err());
    }
}
