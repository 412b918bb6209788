//! The zip of an export: the same bytes every time, written as they are sent.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::mining::Mined;
use crate::organisation::Organisation;

pub(crate) struct Archive {
    pub(crate) id: String,
    pub(crate) organisation: Arc<Organisation>,
    pub(crate) mined: Arc<Mined>,
    pub(crate) group: usize,
    pub(crate) entitlements: Vec<(u16, u32)>,
    pub(crate) padding: u64,
    pub(crate) length: OnceLock<u64>,
}

impl Archive {
    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", self.id)
    }

    /// The length of the zip; the first time, at the cost of making it once for nobody.
    pub(crate) fn length(&self) -> u64 {
        *self.length.get_or_init(|| {
            let mut window = Window { skip: 0, take: u64::MAX, seen: 0, out: io::sink() };
            self.write_all(&mut window).map_or(0, |()| window.seen)
        })
    }

    /// Writes `take` bytes of the zip from the byte at `skip`.
    pub(crate) fn write(&self, skip: u64, take: u64, out: impl Write) -> io::Result<()> {
        let out = io::BufWriter::with_capacity(64 * 1024, out);
        let mut window = Window { skip, take, seen: 0, out };
        self.write_all(&mut window)?;
        window.out.flush()
    }

    fn write_all(&self, out: impl Write) -> io::Result<()> {
        let mut zip = ZipWriter::new_stream(out);
        // Said in so many words: what is the default depends on who else uses the library in a build.
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default());
        zip.start_file("identities.csv", options)?;
        self.identities(&mut zip)?;
        zip.start_file("entitlements.csv", options)?;
        self.entitlements(&mut zip)?;
        if self.padding > 0 {
            zip.start_file("padding.bin", options.large_file(self.padding >= u64::from(u32::MAX)))?;
            let block: Vec<u8> =
                (0..64 * 1024u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let mut left = self.padding;
            while left > 0 {
                let now = left.min(block.len() as u64);
                zip.write_all(&block[..now as usize])?;
                left -= now;
            }
        }
        zip.finish()?;
        Ok(())
    }

    fn identities(&self, out: &mut impl Write) -> io::Result<()> {
        let organisation = &self.organisation;
        writeln!(out, "id,name,email,department,jobTitle,location")?;
        for &who in &self.mined.groups[self.group].members {
            write!(
                out,
                "{},{},{}",
                organisation.identity_id(who),
                organisation.name(who),
                organisation.email(who)
            )?;
            for attribute in ["department", "jobTitle", "location"] {
                write!(out, ",{}", organisation.attribute(who, attribute).unwrap_or_default())?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    fn entitlements(&self, out: &mut impl Write) -> io::Result<()> {
        let members = self.mined.groups[self.group].members.len();
        writeln!(out, "id,name,applicationName,identityCount,popularity,popularityInOrg")?;
        for &(number, count) in &self.entitlements {
            let entitlement = &self.organisation.entitlements[usize::from(number)];
            let application = self.organisation.applications[usize::from(entitlement.application)].name;
            let popularity = f64::from(count) / members as f64 * 100.0;
            let in_org = self.organisation.popularity(number) * 100.0;
            let (id, name) = (&entitlement.id, &entitlement.name);
            writeln!(out, "{id},{name},{application},{count},{popularity:.1},{in_org:.1}")?;
        }
        Ok(())
    }
}

/// Lets through the bytes from `skip` on, `take` of them at most, and drops the others.
struct Window<W> {
    skip: u64,
    take: u64,
    seen: u64,
    out: W,
}

impl<W: Write> Write for Window<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.skip.saturating_add(self.take);
        let from = self.skip.saturating_sub(self.seen).min(bytes.len() as u64) as usize;
        let to = end.saturating_sub(self.seen).min(bytes.len() as u64) as usize;
        if from < to {
            self.out.write_all(&bytes[from..to])?;
        }
        self.seen += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
