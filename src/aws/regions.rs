//! Partitions, Regions and accounts, by their shape.

/// The partitions of AWS, each with how its Regions begin. The first one that fits counts; `aws` has all others.
const PARTITIONS: [(&str, &str); 8] = [
    ("aws-cn", "cn-"),
    ("aws-us-gov", "us-gov-"),
    ("aws-iso", "us-iso-"),
    ("aws-iso-b", "us-isob-"),
    ("aws-iso-e", "eu-isoe-"),
    ("aws-iso-f", "us-isof-"),
    ("aws-eusc", "eusc-"),
    ("aws", ""),
];

/// Whether this is a partition that AWS has told of.
pub(crate) fn is_known_partition(name: &str) -> bool {
    PARTITIONS.iter().any(|(known, _)| *known == name)
}

/// The partition that a Region belongs to, by its name.
pub(crate) fn partition_of(region: &str) -> &'static str {
    PARTITIONS.iter().find(|(_, prefix)| region.starts_with(prefix)).map_or("aws", |(partition, _)| partition)
}

/// Whether this has the shape of a Region: `eu-west-1`, `us-gov-east-1`, `us-isob-east-1`.
pub(crate) fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    (2..=4).contains(&words.len())
        && words.iter().all(is_word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this is an account: twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_words_and_a_number() {
        for region in ["eu-west-1", "us-gov-east-1", "us-iso-east-1", "ap-southeast-12", "cn-north-1", "eusc-de-east-1"]
        {
            assert!(is_region(region), "{region}");
        }
        for other in
            ["", "eu", "eu-west", "eu-west-", "EU-west-1", "eu-west-1a", "eu--1", "1", "a-b-c-d-e-1", "eu-west-123"]
        {
            assert!(!is_region(other), "{other}");
        }
    }

    #[test]
    fn a_region_tells_its_partition() {
        for (region, partition) in [
            ("eu-west-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition_of(region), partition, "{region}");
            assert!(is_known_partition(partition));
        }
        assert!(!is_known_partition("aws-moon"));
    }

    #[test]
    fn an_account_is_twelve_digits() {
        assert!(is_account("111122223333"));
        for other in ["", "11112222333", "1111222233334", "11112222333a", "１11122223333"] {
            assert!(!is_account(other), "{other}");
        }
    }
}
