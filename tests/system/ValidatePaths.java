// java ValidatePaths.java DIRECTORY: validates each N.subject.pem under N.issuer.pem (RFC 5280 6, the JDK's PKIX
// implementation). Prints how many it found good; exits 1 naming those it did not.
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;

public class ValidatePaths {
  public static void main(String[] arguments) throws Exception {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    int good = 0;
    int bad = 0;
    for (File file : new File(arguments[0]).listFiles()) {
      if (!file.getName().endsWith(".subject.pem")) continue;
      File issuer = new File(file.getPath().replace(".subject.pem", ".issuer.pem"));
      try (InputStream subject_in = new FileInputStream(file); InputStream issuer_in = new FileInputStream(issuer)) {
        Certificate subject = factory.generateCertificate(subject_in);
        X509Certificate anchor = (X509Certificate) factory.generateCertificate(issuer_in);
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
        parameters.setRevocationEnabled(false);
        CertPath path = factory.generateCertPath(List.of(subject));
        CertPathValidator.getInstance("PKIX").validate(path, parameters);
        good++;
      } catch (Exception problem) {
        System.out.println(file.getName() + ": " + problem);
        bad++;
      }
    }
    System.out.println("good " + good);
    System.exit(bad == 0 ? 0 : 1);
  }
}
