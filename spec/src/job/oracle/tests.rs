//! Shows that the judge acquits a calm failover and convicts each planted mistake.
