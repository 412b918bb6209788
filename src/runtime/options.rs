//! What a call decides for itself.

/// Gives the builder of a call the settings that every call has.
macro_rules! call_options {
    ($builder:ident) => {
        impl $builder {
            /// What it sends, for those who send it more than once or add to it.
            #[allow(dead_code, reason = "few calls are sent in other ways than by `send`")]
            pub(crate) fn into_call(self) -> crate::runtime::Call {
                self.call
            }

            /// How this call is tried again, in place of what the client has.
            pub fn with_retry(mut self, policy: crate::RetryPolicy) -> Self {
                self.call.options.retry = Some(policy);
                self
            }

            /// How long this call may take as a whole, with all its attempts and all waiting between them, in
            /// place of what the client has. It does not cut a download: that has to have begun within the
            /// time.
            pub fn with_timeout(mut self, limit: ::std::time::Duration) -> Self {
                self.call.options.timeout = Some(limit);
                self
            }

            /// How long nothing may arrive during this call while something is due, in place of what the
            /// client has.
            pub fn with_read_timeout(mut self, limit: ::std::time::Duration) -> Self {
                self.call.options.read_timeout = Some(limit);
                self
            }
        }
    };
}

pub(crate) use call_options;
